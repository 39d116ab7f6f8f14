using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace ApiJobs.Server.Tests.OAuth;

/// <summary>A server over a SQLite file of its own, with two clients; shared by the tests of a class.</summary>
public sealed class OAuthServer : IAsyncLifetime
{
    public const string ClientId = "demo", Secret = "demo secret: 1%+&=e, and 32 or more", AllScopes = "jobs:read jobs:write cases:read cases:write";
    public const string CompanyId = "aff00be6-f734-4094-a8ae-62874485dac0";

    /// <summary>The folder with the database.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("apijobs-oauth-").FullName;

    /// <summary>The settings the server was started with; add to them before it starts.</summary>
    public Dictionary<string, string> Settings { get; } = new(StringComparer.Ordinal)
    {
        ["Bootstrap:Clients:0:ClientId"] = ClientId,
        ["Bootstrap:Clients:0:ClientSecret"] = Secret,
        ["Bootstrap:Clients:0:CompanyId"] = CompanyId,
        ["Bootstrap:Clients:0:Scopes"] = AllScopes,
        ["Worker:Enabled"] = "false",
        // Tests ask for tokens more often than clients do.
        ["Limits:TokenRequestsPerMinutePerClient"] = "10000",
        ["Limits:TokenRequestsPerMinutePerAddress"] = "10000",
    };

    public ServerProcess Process { get; private set; } = null!;

    public HttpClient Http => Process.Http;

    public async ValueTask InitializeAsync() => Process = await StartNodeAsync();

    /// <summary>Starts another node over the same database.</summary>
    public Task<ServerProcess> StartNodeAsync() => ServerProcess.StartAsync(Settings, Folder, cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>Stops the server and starts it anew.</summary>
    public async Task RestartAsync()
    {
        await Process.StopAsync();
        await Process.DisposeAsync();
        Process = await StartNodeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Process is not null)
            await Process.DisposeAsync();
        SqliteConnection.ClearAllPools();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Runs an operator's command on the server's database.</summary>
    public Task<CommandResult> RunAsync(params string[] arguments) =>
        ServerProcess.RunCommandAsync(arguments, Settings, Folder, TestContext.Current.CancellationToken);

    /// <summary>Gets a token for the client of the settings.</summary>
    public async Task<string> GetTokenAsync(HttpClient? http = null, string clientId = ClientId, string secret = Secret)
    {
        using var answer = await RequestTokenAsync(http ?? Http, clientId, secret);
        var body = await answer.Content.ReadAsStringAsync();
        answer.IsSuccessStatusCode.ShouldBeTrue(body);
        return (string)JsonNode.Parse(body)!["access_token"]!;
    }

    /// <summary>Asks for a token the CRM's way.</summary>
    public static Task<HttpResponseMessage> RequestTokenAsync(HttpClient http, string clientId, string secret, string? scope = null)
    {
        var request = new JsonObject { ["grant_type"] = "client_credentials", ["client_id"] = clientId, ["client_secret"] = secret };
        if (scope is not null)
            request["scope"] = scope;
        return http.PostAsJsonAsync("/oauth/token", request);
    }

    /// <summary>Calls the API with a token, or anything else in its place.</summary>
    public static async Task<HttpResponseMessage> CallAsync(HttpClient http, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/engine/api/whoami");
        if (token is not null)
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        return await http.SendAsync(request);
    }

    /// <summary>The key that signs now, read from the database.</summary>
    public (string Kid, RSA Key) ReadSigningKey()
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(Folder, "data", "apijobs.db")};Mode=ReadOnly");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT kid, private_key FROM oauth_signing_keys ORDER BY generation DESC LIMIT 1";
        using var reader = command.ExecuteReader();
        reader.Read().ShouldBeTrue();
        var key = RSA.Create();
        key.ImportPkcs8PrivateKey(reader.GetFieldValue<byte[]>(1), out _);
        return (reader.GetString(0), key);
    }

    /// <summary>Basic credentials as RFC 6749 §2.3.1 wants them: form-encoded, then base64.</summary>
    public static AuthenticationHeaderValue Basic(string clientId, string secret) =>
        new("Basic", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{FormEncode(clientId)}:{FormEncode(secret)}")));

    private static string FormEncode(string text) => Uri.EscapeDataString(text).Replace("%20", "+", StringComparison.Ordinal);
}
