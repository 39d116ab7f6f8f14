using System.Net;
using System.Text.Json.Nodes;

namespace ApiJobs.Server.Tests.OAuth;

/// <summary>What one stranger may cost the token endpoint.</summary>
public sealed class TokenLimitTests : IAsyncLifetime
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly OAuthServer _server = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task More_token_requests_a_minute_than_a_client_may_send_get_429_and_another_client_is_served()
    {
        _server.Settings["Limits:TokenRequestsPerMinutePerClient"] = "3";
        await _server.InitializeAsync();
        for (var request = 0; request < 3; request++)
            (await StatusOfAsync("mallory")).ShouldBe(HttpStatusCode.Unauthorized);
        await ShouldBeLimitedAsync("mallory");
        _ = await _server.GetTokenAsync();
    }

    [Fact]
    public async Task More_token_requests_a_minute_than_an_address_may_send_get_429_whatever_clients_they_name()
    {
        _server.Settings["Limits:TokenRequestsPerMinutePerAddress"] = "3";
        await _server.InitializeAsync();
        for (var request = 0; request < 3; request++)
            (await StatusOfAsync($"mallory-{request}")).ShouldBe(HttpStatusCode.Unauthorized);
        await ShouldBeLimitedAsync("mallory-3");
        (await StatusOfAsync(OAuthServer.ClientId)).ShouldBe(HttpStatusCode.TooManyRequests);
        await Eventually.WithinAsync(TimeSpan.FromSeconds(5), () => Task.FromResult(_server.Process.Output.Contains("too many token requests", StringComparison.Ordinal)));
    }

    private async Task<HttpStatusCode> StatusOfAsync(string clientId)
    {
        using var answer = await OAuthServer.RequestTokenAsync(_server.Http, clientId, "a wrong secret");
        return answer.StatusCode;
    }

    private async Task ShouldBeLimitedAsync(string clientId)
    {
        using var answer = await OAuthServer.RequestTokenAsync(_server.Http, clientId, "a wrong secret");
        answer.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        answer.Headers.RetryAfter!.Delta!.Value.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
        ((string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["code"]).ShouldBe("too_many_requests");
    }
}
