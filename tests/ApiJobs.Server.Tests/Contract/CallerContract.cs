using System.Net;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.Declarations;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>Every route × every caller. A route that is not in the table fails the tests.</summary>
public abstract class CallerContract(ApiServer server)
{
    private const string Job = "{job}";
    private const string Row = "{row}";

    /// <summary>What a stranger with all scopes gets.</summary>
    public enum Stranger
    {
        /// <summary>404: the id is not theirs.</summary>
        NotFound,

        /// <summary>404 as well. The owner may, but is told 409: the job has ended, and all went well.</summary>
        NotFoundNorDone,

        /// <summary>An empty list: none of the rows is theirs.</summary>
        Nothing,

        /// <summary>A job of their own, which leaves the other company's rows as they are.</summary>
        OwnJob,

        /// <summary>Their own limits, which say nothing of others.</summary>
        OwnLimits,

        /// <summary>405, as everybody.</summary>
        NoMethod,
    }

    /// <summary>Method, path below the prefix, the pattern it is routed by, scope, what a stranger gets.</summary>
    public static TheoryData<string, string, string, string, Stranger> Routes => new()
    {
        { "GET", "api-jobs", "api-jobs", "jobs:read", Stranger.Nothing },
        { "HEAD", "api-jobs", "api-jobs", "jobs:read", Stranger.Nothing },
        { "GET", $"api-jobs/{Job}/log", "api-jobs/{id}/log", "jobs:read", Stranger.NotFound },
        { "HEAD", $"api-jobs/{Job}/log", "api-jobs/{id}/log", "jobs:read", Stranger.NotFound },
        { "GET", $"api-jobs/{Job}", "api-jobs/{id}", "jobs:read", Stranger.NotFound },
        { "HEAD", $"api-jobs/{Job}", "api-jobs/{id}", "jobs:read", Stranger.NotFound },
        { "GET", $"api-jobs/{Job}/records", "api-jobs/{id}/records", "jobs:read", Stranger.NotFound },
        { "HEAD", $"api-jobs/{Job}/records", "api-jobs/{id}/records", "jobs:read", Stranger.NotFound },
        { "GET", $"api-jobs/{Job}/events", "api-jobs/{id}/events", "jobs:read", Stranger.NotFound },
        { "HEAD", $"api-jobs/{Job}/events", "api-jobs/{id}/events", "jobs:read", Stranger.NotFound },
        { "POST", $"api-jobs/{Job}/cancel", "api-jobs/{id}/cancel", "jobs:write", Stranger.NotFoundNorDone },
        { "POST", $"api-jobs/{Job}/retry", "api-jobs/{id}/retry", "jobs:write", Stranger.NotFoundNorDone },
        { "POST", $"api-jobs/{Job}/promote", "api-jobs/{id}/promote", "jobs:write", Stranger.NotFoundNorDone },
        { "GET", "limits", "limits", "jobs:read", Stranger.OwnLimits },
        { "HEAD", "limits", "limits", "jobs:read", Stranger.OwnLimits },
        { "GET", $"api-jobs/{Job}/errors", "api-jobs/{id}/errors", "jobs:read", Stranger.NotFound },
        { "HEAD", $"api-jobs/{Job}/errors", "api-jobs/{id}/errors", "jobs:read", Stranger.NotFound },
        { "POST", "cases/bulk", "cases/bulk", "cases:write", Stranger.OwnJob },
        { "PATCH", "cases/bulk", "cases/bulk", "cases:write", Stranger.OwnJob },
        { "PUT", "cases/bulk", "cases/bulk", "cases:write", Stranger.OwnJob },
        { "DELETE", "cases/bulk", "cases/bulk", "cases:write", Stranger.NoMethod },
        { "GET", "cases/bulk", "cases/bulk", "cases:write", Stranger.NoMethod },
        { "POST", "cases/tags/bulk", "cases/tags/bulk", "cases:write", Stranger.OwnJob },
        { "GET", "cases", "cases", "cases:read", Stranger.Nothing },
        { "HEAD", "cases", "cases", "cases:read", Stranger.Nothing },
        { "GET", $"cases/{Row}", "cases/{id}", "cases:read", Stranger.NotFound },
        { "HEAD", $"cases/{Row}", "cases/{id}", "cases:read", Stranger.NotFound },
        { "POST", "customers/bulk", "customers/bulk", "customers:write", Stranger.OwnJob },
        { "PATCH", "customers/bulk", "customers/bulk", "customers:write", Stranger.OwnJob },
        { "PUT", "customers/bulk", "customers/bulk", "customers:write", Stranger.OwnJob },
        { "DELETE", "customers/bulk", "customers/bulk", "customers:write", Stranger.NoMethod },
        { "GET", "customers", "customers", "customers:read", Stranger.Nothing },
        { "HEAD", "customers", "customers", "customers:read", Stranger.Nothing },
        { "GET", $"customers/{Row}", "customers/{id}", "customers:read", Stranger.NotFound },
        { "HEAD", $"customers/{Row}", "customers/{id}", "customers:read", Stranger.NotFound },
        { "POST", "gadgets/bulk", "gadgets/bulk", "gadgets:write", Stranger.OwnJob },
        { "PATCH", "gadgets/bulk", "gadgets/bulk", "gadgets:write", Stranger.OwnJob },
        { "PUT", "gadgets/bulk", "gadgets/bulk", "gadgets:write", Stranger.OwnJob },
        { "DELETE", "gadgets/bulk", "gadgets/bulk", "gadgets:write", Stranger.NoMethod },
        { "GET", "gadgets", "gadgets", "gadgets:read", Stranger.Nothing },
        { "HEAD", "gadgets", "gadgets", "gadgets:read", Stranger.Nothing },
        { "GET", $"gadgets/{Row}", "gadgets/{id}", "gadgets:read", Stranger.NotFound },
        { "HEAD", $"gadgets/{Row}", "gadgets/{id}", "gadgets:read", Stranger.NotFound },
    };

    [Fact]
    public void Every_route_is_in_the_table()
    {
        var mapped = server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith(ApiServer.Prefix, StringComparison.Ordinal))
            .SelectMany(endpoint =>
                // A route without methods takes all those that the path does not have; one of them stands for it.
                (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["DELETE"])
                .Select(method => $"{method} {endpoint.RoutePattern.RawText![(ApiServer.Prefix.Length + 1)..]}"))
            .ToHashSet();
        mapped.ShouldNotBeEmpty();
        mapped.Except(Routes.Select(route => $"{route.Data.Item1} {route.Data.Item3}")).ShouldBeEmpty();
    }

    [Fact]
    public void Every_scope_that_is_asked_for_can_be_given_to_a_client()
    {
        var asked = server.Services.GetRequiredService<EndpointDataSource>().Endpoints
            .Select(endpoint => endpoint.Metadata.GetMetadata<RequiredScope>()?.Name).OfType<string>().ToHashSet();
        asked.ShouldNotBeEmpty();
        asked.ShouldBeSubsetOf(server.Services.GetRequiredService<ApiJobsDeclarations>().Scopes);
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Nobody_gets_in_without_a_token(string method, string path, string pattern, string scope, Stranger stranger)
    {
        _ = (pattern, stranger);
        var url = Fill(path, Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var (token, code) in new[]
        {
            (null, "missing_token"), ("Bearer", "malformed_token"), ("Bearer ", "malformed_token"), ("Bearer nonsense", "invalid_token"),
            ("Basic YTpi", "missing_token"), (TestAuthentication.Token(ApiServer.NewCompany(), scope), "malformed_token"),
        })
        {
            var answer = await server.Anonymous().SendAsync(new(method), url, Body(method, []), "text/nonsense",
                headers => headers.TryAddWithoutValidation("Authorization", token));
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, $"{method} {url} {token}");
            answer.Headers.WwwAuthenticate.ShouldHaveSingleItem().Scheme.ShouldBe("Bearer");
            if (method != "HEAD")
                await answer.ShouldBeProblemAsync(401, code);
        }
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task No_answer_is_kept_or_taken_for_another_type(string method, string path, string pattern, string scope, Stranger stranger)
    {
        _ = (scope, stranger);
        var (company, row) = (ApiServer.NewCompany(), Guid.CreateVersion7());
        var resource = ResourceOf(path);
        var owner = server.ClientOf(company);
        var job = await server.RunAsync(owner, HttpMethod.Post, $"{resource}/bulk", $$"""[{"id":"{{row}}"}]""");
        var url = Fill(path, job.Text("id")!, row.ToString());

        foreach (var client in new[] { owner, server.ClientOf(company, "other"), server.Anonymous(), server.ClientOf(ApiServer.NewCompany()) })
        {
            var answer = await client.SendAsync(new(method), url, Body(method, [row]), "application/json");
            answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"], $"{answer}");
            // An ended job never changes and has a tag: a private copy may be kept, and is asked about before each use.
            var mayBeKept = pattern == "api-jobs/{id}" && answer.IsSuccessStatusCode;
            var isStream = pattern == "api-jobs/{id}/events" && answer.IsSuccessStatusCode;
            answer.Headers.CacheControl!.ToString().ShouldBe(mayBeKept ? "no-cache, private" : isStream ? "no-store, no-cache" : "no-store", $"{answer}");
            if (answer.StatusCode == HttpStatusCode.Accepted)
                await server.EndOfAsync(client, answer.Headers.Location!);
        }
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_slash_at_the_end_makes_no_difference(string method, string path, string pattern, string scope, Stranger stranger)
    {
        _ = (pattern, scope);
        var row = Guid.CreateVersion7();
        var resource = path.Split('/')[0] is var first && first is "api-jobs" or "limits" ? "cases" : first;
        var owner = server.ClientOf(ApiServer.NewCompany());
        var job = await server.RunAsync(owner, HttpMethod.Post, $"{resource}/bulk", $$"""[{"id":"{{row}}"}]""");
        var answer = await owner.SendAsync(new(method), $"{Fill(path, job.Text("id")!, row.ToString())}/", Body(method, [row]), "application/json");
        if (stranger == Stranger.NoMethod)
            answer.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        else if (stranger == Stranger.NotFoundNorDone)
            answer.StatusCode.ShouldBe(HttpStatusCode.Conflict, await answer.TextAsync());
        else
            answer.IsSuccessStatusCode.ShouldBeTrue(await answer.TextAsync());
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task All_other_scopes_together_do_not_replace_the_one(string method, string path, string pattern, string scope, Stranger stranger)
    {
        _ = (pattern, stranger);
        var others = string.Join(' ', ApiServer.AllScopes.Split(' ').Where(other => other != scope)) + $" {scope}x admin";
        // Nothing else is looked at before the scope: not the id, not the parameters, not the body.
        var answer = await server.ClientOf(ApiServer.NewCompany(), others).SendAsync(
            new(method), $"{Fill(path, "not-an-id")}?nonsense=1", Body(method, []), "text/nonsense");
        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        answer.Headers.WwwAuthenticate.ShouldHaveSingleItem().ToString().ShouldBe($"Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        if (method != "HEAD")
            (await answer.ShouldBeProblemAsync(403, "insufficient_scope")).Text("detail")!.ShouldContain(scope);
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_company_reads_and_changes_its_own_rows_only(string method, string path, string pattern, string scope, Stranger stranger)
    {
        _ = pattern;
        var (company, other) = (ApiServer.NewCompany(), ApiServer.NewCompany());
        var owner = server.ClientOf(company);
        var resource = ResourceOf(path);
        var row = Guid.CreateVersion7();
        var job = await server.RunAsync(owner, HttpMethod.Post, $"{resource}/bulk", $$"""[{"id":"{{row}}"}]""");
        var url = Fill(path, job.Text("id")!, row.ToString());
        var before = await ReadAsync();

        if (stranger == Stranger.NotFoundNorDone)
        {
            // Who changes a job must also be allowed to send it; whose job it is, is looked at before.
            var unable = await server.ClientOf(company, $"{scope} customers:write").SendAsync(new(method), url);
            (await unable.ShouldBeProblemAsync(403, "insufficient_scope")).Text("detail")!.ShouldContain("cases:write");
            scope = $"{scope} cases:write";
        }

        var own = await server.ClientOf(company, scope).SendAsync(new(method), url, Body(method, [row]), "application/json");
        own.IsSuccessStatusCode.ShouldBe(stranger is not (Stranger.NoMethod or Stranger.NotFoundNorDone), $"{method} {url}");
        if (stranger == Stranger.NotFoundNorDone)
            own.StatusCode.ShouldBe(HttpStatusCode.Conflict, await own.TextAsync());
        if (own.Headers.Location is { } location)
            await server.EndOfAsync(owner, location);
        var afterOwn = await ReadAsync();

        var answer = await server.ClientOf(other, scope).SendAsync(new(method), url, Body(method, [row]), "application/json");
        switch (stranger)
        {
            case Stranger.NotFound or Stranger.NotFoundNorDone:
                answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
                break;
            case Stranger.Nothing when method == "GET":
                (await answer.TextAsync()).ShouldBe("""{"data":[]}""");
                break;
            case Stranger.OwnJob:
                (await answer.JsonAsync()).Text("company_id").ShouldBe(other.ToString());
                await server.EndOfAsync(server.ClientOf(other), answer.Headers.Location!);
                break;
            case Stranger.OwnLimits when method == "GET":
                (await answer.JsonAsync()).GetProperty("queued_records").GetProperty("used").GetInt64().ShouldBe(0);
                break;
            case Stranger.NoMethod:
                answer.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
                break;
            default:
                answer.IsSuccessStatusCode.ShouldBeTrue();
                break;
        }

        (await ReadAsync()).ShouldBe(afterOwn);
        before.ShouldNotBe("");

        async Task<string> ReadAsync() => await (await owner.SendAsync(HttpMethod.Get, $"{resource}/{row}")).TextAsync();
    }

    // What is not of a resource itself is tried with cases.
    private static string ResourceOf(string path) => path.Split('/')[0] is "api-jobs" or "limits" ? "cases" : path.Split('/')[0];

    private static string Fill(string path, Guid job, Guid row) => Fill(path, job.ToString(), row.ToString());

    private static string Fill(string path, string id) => Fill(path, id, id);

    private static string Fill(string path, string job, string row) =>
        path.Replace(Job, job, StringComparison.Ordinal).Replace(Row, row, StringComparison.Ordinal);

    // The same ids as the other company's rows; each resource has a text field that an update can change.
    private static byte[]? Body(string method, Guid[] rows) => method is "GET" or "HEAD" or "DELETE"
        ? []
        : System.Text.Encoding.UTF8.GetBytes($"[{string.Join(',', rows.Select(row => $$"""{"id":"{{row}}"}"""))}]");
}
