using System.Net;
using ApiJobs.Testing;

namespace ApiJobs.Server.Tests.OAuth;

/// <summary>Two nodes, started at the same moment on an empty PostgreSQL database.</summary>
public sealed class NodesOnPostgreSql : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("apijobs-nodes-").FullName;

    public PostgreSqlServer Database { get; private set; } = null!;

    public Dictionary<string, string> Settings { get; private set; } = null!;

    public ServerProcess One { get; private set; } = null!;

    public ServerProcess Other { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Database = await PostgreSqlServer.StartAsync();
        Settings = new()
        {
            ["Storage:Provider"] = "PostgreSql",
            ["Storage:ConnectionString"] = await Database.CreateDatabaseAsync(),
            ["Worker:Enabled"] = "false",
            // Tests ask for tokens more often than clients do.
            ["Limits:TokenRequestsPerMinutePerClient"] = "10000",
            ["Limits:TokenRequestsPerMinutePerAddress"] = "10000",
            ["Bootstrap:Clients:0:ClientId"] = OAuthServer.ClientId,
            ["Bootstrap:Clients:0:ClientSecret"] = OAuthServer.Secret,
            ["Bootstrap:Clients:0:CompanyId"] = OAuthServer.CompanyId,
            ["Bootstrap:Clients:0:Scopes:0"] = "cases:read",
            ["Bootstrap:Clients:0:Scopes:1"] = "jobs:read",
        };
        var nodes = await Task.WhenAll(StartAsync(), StartAsync());
        (One, Other) = (nodes[0], nodes[1]);
    }

    public Task<CommandResult> RunAsync(params string[] arguments) =>
        ServerProcess.RunCommandAsync(arguments, Settings, _folder, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (One is not null)
            await One.DisposeAsync();
        if (Other is not null)
            await Other.DisposeAsync();
        if (Database is not null)
            await Database.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    public Task<ServerProcess> StartAsync() => ServerProcess.StartAsync(Settings, _folder, cancellationToken: TestContext.Current.CancellationToken);
}

public sealed class NodesOnPostgreSqlTests(NodesOnPostgreSql nodes) : IClassFixture<NodesOnPostgreSql>
{
    private static readonly Uri Jwks = new("/.well-known/jwks", UriKind.Relative);

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nodes_agree_on_keys_and_clients_and_accept_each_others_tokens()
    {
        (await nodes.One.Http.GetStringAsync(Jwks, Cancel)).ShouldBe(await nodes.Other.Http.GetStringAsync(Jwks, Cancel));
        var clients = await nodes.RunAsync("clients", "list");
        clients.Output.Split('\n').Count(line => line.StartsWith($"{OAuthServer.ClientId}\t", StringComparison.Ordinal)).ShouldBe(1);
        (await StatusOfAsync(nodes.Other, await GetTokenAsync(nodes.One))).ShouldBe(HttpStatusCode.OK);
        (await StatusOfAsync(nodes.One, await GetTokenAsync(nodes.Other))).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_revoked_client_is_refused_on_every_node_within_five_seconds()
    {
        var added = await nodes.RunAsync("clients", "add", "--client-id", "to-revoke", "--company", OAuthServer.CompanyId, "--scopes", "jobs:read");
        added.ExitCode.ShouldBe(0, added.Errors);
        var token = await GetTokenAsync(nodes.One, "to-revoke", added.Output.Split("client_secret: ")[1].Trim());
        (await StatusOfAsync(nodes.One, token)).ShouldBe(HttpStatusCode.OK);
        (await StatusOfAsync(nodes.Other, token)).ShouldBe(HttpStatusCode.OK);

        (await nodes.RunAsync("clients", "revoke", "to-revoke")).ExitCode.ShouldBe(0);
        await Eventually.WithinAsync(TimeSpan.FromSeconds(5), async () =>
            await StatusOfAsync(nodes.One, token) == HttpStatusCode.Unauthorized && await StatusOfAsync(nodes.Other, token) == HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_rotated_key_is_used_by_every_node_without_a_restart()
    {
        var kid = (await nodes.RunAsync("keys", "rotate")).Output.Split("kid: ")[1].Trim();
        await Eventually.WithinAsync(TimeSpan.FromSeconds(10), async () =>
            (string?)Jwt.Header(await GetTokenAsync(nodes.One))["kid"] == kid && (string?)Jwt.Header(await GetTokenAsync(nodes.Other))["kid"] == kid);
    }

    [Fact]
    public async Task A_node_that_is_told_to_stop_ends_well()
    {
        await using var third = await nodes.StartAsync();
        (await third.StopAsync()).ShouldBe(0, third.Output);
    }

    [Fact]
    public async Task While_the_database_is_away_the_answer_is_503_and_then_all_is_well()
    {
        var token = await GetTokenAsync(nodes.One);
        await nodes.Database.StopImmediateAsync();
        try
        {
            // The client's status is used for two seconds; after that nobody can say.
            await Eventually.WithinAsync(TimeSpan.FromSeconds(10), async () => await StatusOfAsync(nodes.One, token) == HttpStatusCode.ServiceUnavailable);
            using var refused = await OAuthServer.RequestTokenAsync(nodes.One.Http, OAuthServer.ClientId, OAuthServer.Secret);
            refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            refused.Headers.RetryAfter.ShouldNotBeNull();
            using var ready = await nodes.One.Http.GetAsync(new Uri("/health/ready", UriKind.Relative), Cancel);
            ready.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

            // Nor does a token make it ask the database whether its client may call.
            using var ask = new HttpRequestMessage(HttpMethod.Get, "/health/live") { Headers = { Authorization = new("Bearer", token) } };
            using var live = await nodes.One.Http.SendAsync(ask, Cancel);
            live.StatusCode.ShouldBe(HttpStatusCode.OK);
        }
        finally
        {
            await nodes.Database.StartAgainAsync();
        }

        await Eventually.WithinAsync(TimeSpan.FromSeconds(15), async () => await StatusOfAsync(nodes.One, token) == HttpStatusCode.OK);
    }

    private static async Task<string> GetTokenAsync(ServerProcess node, string clientId = OAuthServer.ClientId, string secret = OAuthServer.Secret)
    {
        using var answer = await OAuthServer.RequestTokenAsync(node.Http, clientId, secret);
        var body = await answer.Content.ReadAsStringAsync(Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, body);
        return (string)System.Text.Json.Nodes.JsonNode.Parse(body)!["access_token"]!;
    }

    private static async Task<HttpStatusCode> StatusOfAsync(ServerProcess node, string token)
    {
        using var answer = await OAuthServer.CallAsync(node.Http, token);
        return answer.StatusCode;
    }
}
