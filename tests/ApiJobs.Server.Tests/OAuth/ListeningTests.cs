using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ApiJobs.Server.Tests.OAuth;

/// <summary>Where the server listens, and whom it does not wait for.</summary>
public sealed class ListeningTests : IAsyncLifetime
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly OAuthServer _server = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_connection_without_a_first_byte_is_closed()
    {
        _server.Settings["Http:FirstByteTimeout"] = "00:00:01";
        await _server.InitializeAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _server.Process.Url.Port, Cancel);
        (await ReadAsync(client).WaitAsync(TimeSpan.FromSeconds(20), Cancel)).ShouldBe(0);

        // Whoever has sent one is not hurried by this.
        using var answer = await _server.Http.GetAsync(new Uri("/health/live", UriKind.Relative), Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Health_has_an_address_of_its_own_where_that_is_configured()
    {
        var port = FreePort();
        _server.Settings["Http:HealthUrl"] = $"http://127.0.0.1:{port}";
        await _server.InitializeAsync();

        foreach (var path in new[] { "/health/live", "/health/ready" })
        {
            (await StatusOfAsync(new Uri($"http://127.0.0.1:{port}{path}"))).ShouldBe(HttpStatusCode.OK);
            (await StatusOfAsync(new Uri(_server.Process.Url, path))).ShouldBe(HttpStatusCode.NotFound);
        }

        // And nothing else is there, whatever the Host header says.
        (await StatusOfAsync(new Uri($"http://127.0.0.1:{port}/engine/api/whoami"), _server.Process.Url.Authority)).ShouldBe(HttpStatusCode.NotFound);
        (await StatusOfAsync(new Uri($"http://127.0.0.1:{port}/oauth/token"), _server.Process.Url.Authority)).ShouldBe(HttpStatusCode.NotFound);
        (await StatusOfAsync(new Uri(_server.Process.Url, "/health/live"), $"127.0.0.1:{port}")).ShouldBe(HttpStatusCode.NotFound);
        (await StatusOfAsync(new Uri(_server.Process.Url, "/engine/api/whoami"))).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Only_a_server_that_serves_https_itself_asks_for_https_from_then_on()
    {
        using var rsa = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        var path = Path.Combine(_server.Folder, "server.pfx");
        await File.WriteAllBytesAsync(path, certificate.Export(X509ContentType.Pfx), Cancel);
        _server.Settings["Kestrel:Certificates:Default:Path"] = path;
        _server.Settings["urls"] = "https://127.0.0.1:0";
        await _server.InitializeAsync();
        (await TransportSecurityAsync()).ShouldBe("max-age=2592000");

        // Where TLS ends at a proxy, that is the proxy's to say.
        _server.Settings["urls"] = "http://127.0.0.1:0";
        _server.Settings["Http:TrustedProxies:0"] = "127.0.0.1";
        await _server.RestartAsync();
        (await TransportSecurityAsync()).ShouldBe("");

        async Task<string> TransportSecurityAsync()
        {
            using var ask = new HttpRequestMessage(HttpMethod.Get, "/.well-known/jwks") { Headers = { Host = "api.example.com" } };
            ask.Headers.Add("X-Forwarded-Proto", "https");
            using var answer = await _server.Http.SendAsync(ask, Cancel);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            return answer.Headers.TryGetValues("Strict-Transport-Security", out var values) ? string.Join(',', values) : "";
        }
    }

    private static async Task<HttpStatusCode> StatusOfAsync(Uri address, string? host = null)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, address) { Headers = { Host = host } };
        using var answer = await http.SendAsync(request, Cancel);
        return answer.StatusCode;
    }

    private static async Task<int> ReadAsync(TcpClient client)
    {
        try
        {
            return await client.GetStream().ReadAsync(new byte[1], Cancel);
        }
        catch (IOException)
        {
            // Closed with a reset.
            return 0;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
