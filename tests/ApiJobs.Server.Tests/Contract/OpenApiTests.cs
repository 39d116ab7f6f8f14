using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>What an application's OpenAPI document says of the API. It does not depend on the store.</summary>
public sealed class OpenApiTests(SqliteApiServer server) : IClassFixture<SqliteApiServer>
{
    [Fact]
    public async Task Every_operation_has_a_name_a_summary_and_its_refusals()
    {
        var operations = await OperationsAsync();
        // Lists, asking and changing of jobs, limits; bulk requests; who am I; rows.
        operations.Count.ShouldBe(10 + (3 * 3) + 1 + (3 * 2));
        operations.Values.Select(operation => operation.Text("operationId")).ShouldBeUnique();
        operations.Values.ShouldAllBe(operation => Regex.IsMatch(operation.Text("operationId")!, "^[a-z]+([A-Z][a-z]+)*$"));
        foreach (var (name, operation) in operations)
        {
            operation.Text("operationId").ShouldNotBeNullOrWhiteSpace(name);
            operation.Text("summary").ShouldNotBeNullOrWhiteSpace(name);
            operation.GetProperty("responses").MemberNames().ShouldBeSubsetOf(
                ["200", "202", "304", "400", "401", "403", "404", "406", "408", "409", "410", "413", "415", "422", "429", "503"]);
            operation.GetProperty("responses").MemberNames().ShouldContain("403", name);
        }
    }

    [Theory]
    [InlineData("get /api-jobs/{id}", "id, expand")]
    [InlineData("get /api-jobs", "status, type, created_after, created_before, client_id, parent_id, has_failed, dry_run, limit, cursor, expand")]
    [InlineData("get /api-jobs/{id}/records", "id, outcome, code, limit, cursor, include, raw")]
    [InlineData("put /cases/bulk", "key, dry_run, max_failed, retry_of, Idempotency-Key")]
    [InlineData("post /cases/bulk", "dry_run, max_failed, retry_of, Idempotency-Key")]
    [InlineData("post /api-jobs/{id}/cancel", "id, Idempotency-Key")]
    [InlineData("get /cases", "ref, postcode, updatedAfter, page, perPage")]
    public async Task Every_query_parameter_is_described(string operation, string names)
    {
        var parameters = (await OperationsAsync())[operation].GetProperty("parameters").EnumerateArray().ToArray();
        string.Join(", ", parameters.Select(parameter => parameter.Text("name"))).ShouldBe(names);
        parameters.Where(parameter => parameter.Text("in") == "query").ShouldAllBe(parameter => parameter.Text("description")!.EndsWith('.'));
    }

    [Fact]
    public async Task A_bulk_requests_body_is_described_as_a_list_of_records()
    {
        var content = (await OperationsAsync())["post /cases/bulk"].GetProperty("requestBody").GetProperty("content");
        content.GetProperty("application/json").GetProperty("schema").Text("type").ShouldBe("array");
    }

    [Fact]
    public async Task A_jobs_schema_has_the_seeds_members()
    {
        var document = await DocumentAsync();
        document.GetProperty("components").GetProperty("schemas").GetProperty("ApiJob").GetProperty("properties").MemberNames().ShouldBe([
            "id", "type", "company_id", "start_time", "end_time", "status", "message",
            "total_records", "effected_records", "created_at", "updated_at"]);
    }

    [Fact]
    public async Task Numbers_are_described_as_numbers()
    {
        var schemas = (await DocumentAsync()).GetProperty("components").GetProperty("schemas");
        schemas.GetProperty("ApiJob").GetProperty("properties").GetProperty("total_records").Text("type").ShouldBe("integer");
        schemas.GetProperty("RecordResult").GetProperty("properties").GetProperty("index").Text("type").ShouldBe("integer");
    }

    [Fact]
    public async Task The_document_is_made_once_and_a_client_can_ask_whether_it_has_changed()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => server.Anonymous().SendAsync(HttpMethod.Get, "/openapi/v1.json")));
        server.DocumentsMade.ShouldBe(1);
        var tag = answers.Select(answer => answer.Headers.ETag).Distinct().ShouldHaveSingleItem()!;
        answers[0].Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        var again = await server.Anonymous().SendAsync(HttpMethod.Get, "/openapi/v1.json", headers: headers => headers.IfNoneMatch.Add(tag));
        again.StatusCode.ShouldBe(HttpStatusCode.NotModified);
    }

    [Fact]
    public async Task The_servers_name_is_not_taken_from_the_request()
    {
        var answer = await server.Anonymous().SendAsync(HttpMethod.Get, "/openapi/v1.json", headers: headers => headers.Host = "evil.example");
        var document = await answer.JsonAsync();
        document.GetRawText().ShouldNotContain("evil.example");
        document.GetProperty("servers").EnumerateArray().ShouldHaveSingleItem().Text("url").ShouldBe("/");
    }

    [Fact]
    public async Task Every_operation_names_the_scope_it_needs_and_every_scope_is_declared()
    {
        var document = await DocumentAsync();
        var flow = document.GetProperty("components").GetProperty("securitySchemes").GetProperty("oauth2").GetProperty("flows").GetProperty("clientCredentials");
        flow.Text("tokenUrl").ShouldBe("/oauth/token");
        var declared = flow.GetProperty("scopes").MemberNames();
        foreach (var (name, operation) in await OperationsAsync())
        {
            var scope = operation.GetProperty("security").EnumerateArray().ShouldHaveSingleItem(name).GetProperty("oauth2").EnumerateArray().ShouldHaveSingleItem(name);
            declared.ShouldContain(scope.GetString());
        }
    }

    private async Task<JsonElement> DocumentAsync()
    {
        var answer = await server.Anonymous().SendAsync(HttpMethod.Get, "/openapi/v1.json");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, string.Join('\n', server.Warnings));
        return await answer.JsonAsync();
    }

    /// <summary>The API's operations, by method and path below the prefix.</summary>
    private async Task<Dictionary<string, JsonElement>> OperationsAsync() =>
        (await DocumentAsync()).GetProperty("paths").EnumerateObject()
            .Where(path => path.Name.StartsWith(ApiServer.Prefix, StringComparison.Ordinal))
            .SelectMany(path => path.Value.EnumerateObject()
                .Select(operation => (Name: $"{operation.Name} {path.Name[ApiServer.Prefix.Length..]}", operation.Value)))
            .ToDictionary(operation => operation.Name, operation => operation.Value);
}
