using System.Reflection;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.Intake;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>Errors that are not one endpoint's own.</summary>
public abstract class ProblemContract(ApiServer server)
{
    private readonly Guid _company = ApiServer.NewCompany();

    [Fact]
    public async Task An_unknown_path_is_a_problem() =>
        await (await server.ClientOf(_company).SendAsync(HttpMethod.Get, "nothing/here")).ShouldBeProblemAsync(404, "not_found");

    [Fact]
    public async Task A_method_that_a_path_does_not_have_is_a_problem_and_Allow_names_those_it_has()
    {
        var answer = await server.ClientOf(_company).SendAsync(HttpMethod.Delete, $"api-jobs/{Guid.CreateVersion7()}");
        await answer.ShouldBeProblemAsync(405, "method_not_allowed");
        answer.Content.Headers.Allow.Order().ShouldBe(["GET", "HEAD"]);
    }

    [Fact]
    public async Task A_bug_is_a_problem_that_tells_nothing_of_the_inside()
    {
        var ended = server.RequestEnded.Next;
        var answer = await server.Anonymous().SendAsync(HttpMethod.Get, "/crash");
        var problem = await answer.ShouldBeProblemAsync(500, "internal_error");
        problem.GetRawText().ShouldNotContain("InvalidOperation");
        problem.GetRawText().ShouldNotContain("A bug.");
        await ended.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        server.Warnings.ShouldContain(warning => warning.Contains("A bug."));
    }

    [Theory]
    [InlineData("GET", "api-jobs/43dbbc35-d114-4da5-a1c0-6abbea6d7bf5")]
    [InlineData("GET", "api-jobs/43dbbc35-d114-4da5-a1c0-6abbea6d7bf5/records")]
    [InlineData("POST", "cases/bulk")]
    public async Task A_store_that_is_away_means_try_again_later(string method, string path)
    {
        var client = server.ClientOf(_company);
        using (server.Store.TakeAway())
        {
            var answer = await client.SendAsync(new(method), path, method == "POST" ? "[{}]"u8.ToArray() : [], "application/json");
            await answer.ShouldBeProblemAsync(503, "unavailable");
            answer.Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThan(TimeSpan.Zero);
        }

        (await server.RunAsync(client, HttpMethod.Post, "cases/bulk", "[{}]")).Text("status").ShouldBe("completed");
    }

    [Fact]
    public void Every_fault_of_a_request_has_its_problem()
    {
        var codes = typeof(RequestFaultCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!);
        foreach (var code in codes)
            Problems.Of(new RequestFault(code, "Detail.")).Kind.Code.ShouldBe(code);
    }

    [Fact]
    public void Every_problem_is_in_the_list_once()
    {
        var declared = typeof(Problems).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => field.GetValue(null)).OfType<ProblemKind>();
        Problems.All.ShouldBe(declared, ignoreOrder: true);
        Problems.All.ShouldBeUnique();
        foreach (var status in Enumerable.Range(400, 200))
            Problems.OfStatus(status).Kind.Status.ShouldBe(status);
    }
}
