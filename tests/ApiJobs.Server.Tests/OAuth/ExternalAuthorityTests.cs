using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ApiJobs.Server.Tests.OAuth;

/// <summary>One of our own servers as the authority, another that trusts it.</summary>
public sealed class ExternalAuthorityTests : IAsyncLifetime
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly string _folder = Directory.CreateTempSubdirectory("apijobs-external-").FullName;
    private readonly OAuthServer _authority = new();
    private readonly string _authorityUrl = $"http://127.0.0.1:{FreePort()}";

    public ValueTask InitializeAsync()
    {
        _authority.Settings["urls"] = _authorityUrl;
        _authority.Settings["OAuth:Issuer"] = _authorityUrl;
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _authority.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Tokens_of_the_authority_are_accepted_and_only_those()
    {
        await _authority.InitializeAsync();
        await using var api = await StartAsync([]);
        var token = await _authority.GetTokenAsync();

        using var good = await OAuthServer.CallAsync(api.Http, token);
        good.StatusCode.ShouldBe(HttpStatusCode.OK, await good.Content.ReadAsStringAsync(Cancel));
        (await good.Content.ReadAsStringAsync(Cancel)).ShouldContain(OAuthServer.CompanyId);
        using var bad = await OAuthServer.CallAsync(api.Http, token[..^8] + "AAAAAAAA");
        bad.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        // The built-in issuer is gone, and none of its own tables were made.
        foreach (var path in new[] { "/.well-known/openid-configuration", "/.well-known/jwks" })
        {
            using var gone = await api.Http.GetAsync(new Uri(path, UriKind.Relative), Cancel);
            gone.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        }

        using var post = await api.Http.PostAsync("/oauth/token", new StringContent("{}", Encoding.UTF8, "application/json"), Cancel);
        post.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_token_for_another_audience_or_without_the_company_claim_is_refused()
    {
        await _authority.InitializeAsync();
        var token = await _authority.GetTokenAsync();
        await using (var api = await StartAsync(new() { ["OAuth:Audience"] = "others" }))
        {
            using var answer = await OAuthServer.CallAsync(api.Http, token);
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        }

        await using (var api = await StartAsync(new() { ["OAuth:CompanyClaim"] = "tenant" }))
        {
            using var answer = await OAuthServer.CallAsync(api.Http, token);
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
            answer.Headers.WwwAuthenticate.ToString().ShouldContain("'tenant'");
        }
    }

    [Fact]
    public async Task While_the_authority_is_away_the_answer_is_503_and_then_all_is_well()
    {
        await using var api = await StartAsync([]);
        using (var away = await OAuthServer.CallAsync(api.Http, "a.b.c"))
        {
            away.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            away.Headers.RetryAfter.ShouldNotBeNull();
        }

        await _authority.InitializeAsync();
        var token = await _authority.GetTokenAsync();
        await Eventually.WithinAsync(TimeSpan.FromSeconds(30), async () =>
        {
            using var answer = await OAuthServer.CallAsync(api.Http, token);
            return answer.StatusCode == HttpStatusCode.OK;
        });
    }

    [Fact]
    public async Task The_authoritys_discovery_is_built_on_its_issuer_whatever_the_Host_header_says()
    {
        await _authority.InitializeAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/.well-known/openid-configuration") { Headers = { Host = "evil.example" } };
        using var answer = await _authority.Http.SendAsync(request, Cancel);
        var body = await answer.Content.ReadAsStringAsync(Cancel);
        body.ShouldContain($"\"jwks_uri\":\"{_authorityUrl}/.well-known/jwks\"");
        body.ShouldNotContain("evil");
    }

    private Task<ServerProcess> StartAsync(Dictionary<string, string> settings)
    {
        settings["OAuth:Authority"] = _authorityUrl;
        settings["Worker:Enabled"] = "false";
        return ServerProcess.StartAsync(settings, _folder, cancellationToken: Cancel);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
