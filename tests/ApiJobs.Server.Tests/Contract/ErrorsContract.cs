using System.Text.Json;

namespace ApiJobs.Server.Tests.Contract;

/// <summary><c>GET /api-jobs/{id}/errors</c>.</summary>
public abstract class ErrorsContract(ApiServer server)
{
    private readonly Guid _company = ApiServer.NewCompany();

    private HttpClient Client => field ??= server.ClientOf(_company);

    [Fact]
    public async Task Errors_are_grouped_by_kind_the_most_frequent_first()
    {
        var records = Enumerable.Range(0, 95).Select(nth => (nth % 5) switch
        {
            0 => """{"id":"bad","colour":1}""",
            1 => """{"colour":1}""",
            2 => $$$"""{"meta":{"a":{{{nth}}}}}""",
            _ => "{}",
        });
        var job = await server.RunAsync(Client, HttpMethod.Post, "cases/bulk", $"[{string.Join(',', records)}]");

        var groups = await GroupsAsync(job.Text("id")!);
        groups.ConvertAll(group => (group.Text("code"), group.Text("pointer"), group.GetProperty("count").GetInt64(), group.GetProperty("first_index").GetInt64()))
            .ShouldBe([("unknown_field", "/colour", 38, 0), ("invalid_format", "/id", 19, 0), ("wrong_type", "/meta/a", 19, 2)]);
        groups[1].Text("message").ShouldBe("'bad' is not a UUID like 4528a261-917d-4cbc-939e-7ea48cffca69.");
        groups[0].MemberNames().ShouldBe(["code", "pointer", "count", "first_index", "message"]);
    }

    [Fact]
    public async Task Kinds_beyond_a_hundred_are_counted_together_and_all_counts_add_up()
    {
        // A member that no field is, another one in each of 150 records; then all of them again, and one of the first once more.
        var records = Enumerable.Range(0, 300).Select(nth => $$"""{"m{{nth % 150}}":1}""").Append("""{"m0":1}""");
        var job = await server.RunAsync(Client, HttpMethod.Post, "cases/bulk", $"[{string.Join(',', records)}]");

        var groups = await GroupsAsync(job.Text("id")!);
        groups.Count.ShouldBe(100);
        groups.Sum(group => group.GetProperty("count").GetInt64()).ShouldBe(301);
        (groups[0].Text("code"), groups[0].Text("pointer"), groups[0].GetProperty("count").GetInt64()).ShouldBe(("other", "", 102));
        groups[0].GetProperty("first_index").GetInt64().ShouldBe(99);
        (groups[1].Text("pointer"), groups[1].GetProperty("count").GetInt64()).ShouldBe(("/m0", 3));
        groups.Skip(2).ShouldAllBe(group => group.GetProperty("count").GetInt64() == 2);
    }

    [Fact]
    public async Task A_job_without_failures_and_a_pending_one_have_none()
    {
        var job = await server.RunAsync(Client, HttpMethod.Post, "cases/bulk", "[{}]");
        (await GroupsAsync(job.Text("id")!)).ShouldBeEmpty();
        using var held = server.Store.HoldWork();
        var pending = await (await Client.SendJsonAsync(HttpMethod.Post, "cases/bulk", """[{"id":"bad"}]""")).JsonAsync();
        (await GroupsAsync(pending.Text("id")!)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Members_of_any_name_are_grouped()
    {
        var job = await server.RunAsync(Client, HttpMethod.Post, "cases/bulk", """[{"\u0000":1},{"\u2028 é":1},{"":1},{"a/b~":1}]""");
        job.Text("status").ShouldBe("completed");
        (await GroupsAsync(job.Text("id")!)).Sum(group => group.GetProperty("count").GetInt64()).ShouldBe(4);
    }

    [Theory]
    [InlineData("not-an-id", 400, "invalid_parameter")]
    [InlineData("43dbbc35-d114-4da5-a1c0-6abbea6d7bf5", 404, "not_found")]
    public async Task An_id_that_is_none_or_nobodys_is_refused(string id, int status, string code) =>
        await (await Client.SendAsync(HttpMethod.Get, $"api-jobs/{id}/errors")).ShouldBeProblemAsync(status, code);

    private async Task<List<JsonElement>> GroupsAsync(string job) =>
        [.. (await (await Client.SendAsync(HttpMethod.Get, $"api-jobs/{job}/errors")).JsonAsync()).GetProperty("data").EnumerateArray()];
}

public sealed class ErrorsOnSqlite(SqliteApiServer server) : ErrorsContract(server), IClassFixture<SqliteApiServer>;

public sealed class ErrorsOnPostgreSql(PostgreSqlApiServer server) : ErrorsContract(server), IClassFixture<PostgreSqlApiServer>;
