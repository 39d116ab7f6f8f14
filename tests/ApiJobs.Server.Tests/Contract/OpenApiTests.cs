using System.Text.Json;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>What an application's OpenAPI document says of the API. It does not depend on the store.</summary>
public sealed class OpenApiTests(SqliteApiServer server) : IClassFixture<SqliteApiServer>
{
    [Fact]
    public async Task Every_operation_has_a_name_a_summary_and_its_refusals()
    {
        var operations = await OperationsAsync();
        operations.Count.ShouldBe(2 + (3 * 3) + 1 + (3 * 2));
        operations.Values.Select(operation => operation.Text("operationId")).ShouldBeUnique();
        foreach (var (name, operation) in operations)
        {
            operation.Text("operationId").ShouldNotBeNullOrWhiteSpace(name);
            operation.Text("summary").ShouldNotBeNullOrWhiteSpace(name);
            operation.GetProperty("responses").MemberNames().ShouldBeSubsetOf(
                ["200", "202", "304", "400", "401", "403", "404", "408", "410", "413", "415", "503"]);
            operation.GetProperty("responses").MemberNames().ShouldContain("403", name);
        }
    }

    [Theory]
    [InlineData("get /api-jobs/{id}", "id, expand")]
    [InlineData("get /api-jobs/{id}/records", "id, outcome, limit, cursor")]
    [InlineData("put /cases/bulk", "key")]
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

    private async Task<JsonElement> DocumentAsync() =>
        await (await server.Anonymous().SendAsync(HttpMethod.Get, "/openapi/v1.json")).JsonAsync();

    /// <summary>The API's operations, by method and path below the prefix.</summary>
    private async Task<Dictionary<string, JsonElement>> OperationsAsync() =>
        (await DocumentAsync()).GetProperty("paths").EnumerateObject()
            .Where(path => path.Name.StartsWith(ApiServer.Prefix, StringComparison.Ordinal))
            .SelectMany(path => path.Value.EnumerateObject()
                .Select(operation => (Name: $"{operation.Name} {path.Name[ApiServer.Prefix.Length..]}", operation.Value)))
            .ToDictionary(operation => operation.Name, operation => operation.Value);
}
