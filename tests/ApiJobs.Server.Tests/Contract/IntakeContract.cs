using System.IO.Compression;
using System.Net;
using System.Text;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>What is read is what was written: no string is taken for another, no body for another one.</summary>
public abstract class IntakeContract(ApiServer server)
{
    private readonly Guid _company = ApiServer.NewCompany();

    [Theory]
    [InlineData("+da384c3-917d-4cbc-939e-7ea48cffca69")]
    [InlineData("0xa384c3-917d-4cbc-939e-7ea48cffca69")]
    [InlineData(" 0da384c3-917d-4cbc-939e-7ea48cffca69")]
    public async Task A_string_that_is_no_UUID_never_reaches_a_row(string text)
    {
        var client = server.ClientOf(_company);
        string[] ids = ["0da384c3-917d-4cbc-939e-7ea48cffca69", "00a384c3-917d-4cbc-939e-7ea48cffca69"];
        await server.RunAsync(client, HttpMethod.Post, "cases/bulk", $$"""[{"id":"{{ids[0]}}"},{"id":"{{ids[1]}}"}]""");

        var job = await server.RunAsync(client, HttpMethod.Patch, "cases/bulk", $$"""[{"id":"{{text}}","notes":"changed"}]""");

        job.GetProperty("effected_records").GetInt64().ShouldBe(0);
        foreach (var id in ids)
            (await (await client.SendAsync(HttpMethod.Get, $"cases/{id}")).JsonAsync()).Text("notes").ShouldBeNull();
        // A plus may stand in a path as it is; in a query it would be a space.
        var segment = text.Replace(" ", "%20", StringComparison.Ordinal);
        await (await client.SendAsync(HttpMethod.Get, $"cases/{segment}")).ShouldBeProblemAsync(400, "invalid_parameter");
        await (await client.SendAsync(HttpMethod.Get, $"api-jobs/{segment}")).ShouldBeProblemAsync(400, "invalid_parameter");
        await (await client.SendAsync(HttpMethod.Get, $"gadgets?serial={Uri.EscapeDataString(text)}")).ShouldBeProblemAsync(400, "invalid_parameter");
    }

    /// <summary>Bodies, their media type, the code they are refused with, and what the answer says of the reason.</summary>
    public static TheoryData<byte[], string, string, string> Refused => new()
    {
        { Utf8("{\"rec"), "application/json", "malformed_body", "cut off" },
        { Utf8("nul"), "application/json", "malformed_body", "cut off" },
        { Utf8("ref,postcod,notes\nA,LS1,x\n"), "text/csv", "wrong_shape", "'postcod' (the nearest is 'postcode')" },
        { Utf8("ref,full_name\nA,LS1\n"), "text/csv", "wrong_shape", "'full_name'. The fields are id, ref, meta, email, notes, postcode." },
        { Utf8("ref,Meta.colour\nA,red\n"), "text/csv", "wrong_shape", "'Meta' (the nearest is 'meta')" },
        { Utf8("ref,updated_at\nA,\n"), "text/csv", "wrong_shape", "'updated_at'" },
        { Utf8("ref;notes\nA;x\n"), "text/csv", "wrong_shape", "semicolons" },
        { Utf8("ref\tnotes\nA\tx\n"), "text/csv", "wrong_shape", "tabs" },
        { Gzip("[{}]"), "application/json", "invalid_encoding", "Content-Encoding: gzip" },
        { Gzip("{}\n"), "application/x-ndjson", "invalid_encoding", "Content-Encoding: gzip" },
        { Gzip("ref\nA\n"), "text/csv", "invalid_encoding", "Content-Encoding: gzip" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_body_is_refused_at_the_door_with_the_reason_and_leaves_nothing(byte[] body, string mediaType, string code, string reason)
    {
        var answer = await server.ClientOf(_company).SendAsync(HttpMethod.Post, "cases/bulk", body, mediaType);

        var problem = await answer.ShouldBeProblemAsync(400, code);
        problem.Text("detail")!.ShouldContain(reason);
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0);
    }

    [Fact]
    public async Task A_table_for_an_operation_that_does_not_say_its_members_may_have_any_column()
    {
        var answer = await server.ClientOf(_company).SendAsync(HttpMethod.Post, "cases/tags/bulk", Utf8("name,anything\nA,1\n"), "text/csv");

        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted, await answer.TextAsync());
    }

    private static byte[] Gzip(string text)
    {
        var encoded = new MemoryStream();
        using (var gzip = new GZipStream(encoded, CompressionLevel.Optimal))
            gzip.Write(Utf8(text));
        return encoded.ToArray();
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}

public sealed class IntakeOnSqlite(SqliteApiServer server) : IntakeContract(server), IClassFixture<SqliteApiServer>;

public sealed class IntakeOnPostgreSql(PostgreSqlApiServer server) : IntakeContract(server), IClassFixture<PostgreSqlApiServer>;
