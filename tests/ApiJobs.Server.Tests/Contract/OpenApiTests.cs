using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.Server.Tests.OpenApi;

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
                ["200", "202", "304", "400", "401", "403", "404", "406", "408", "409", "410", "413", "415", "422", "429", "500", "503"]);
            operation.GetProperty("responses").MemberNames().ShouldContain("403", name);
        }
    }

    [Theory]
    [InlineData("get /api-jobs/{id}", "id, expand, If-None-Match, Prefer")]
    [InlineData("get /api-jobs", "status, type, created_after, created_before, client_id, parent_id, has_failed, dry_run, limit, cursor, expand")]
    [InlineData("get /api-jobs/{id}/records", "id, outcome, code, limit, cursor, include, raw")]
    [InlineData("get /api-jobs/{id}/events", "id, Last-Event-ID")]
    [InlineData("put /cases/bulk", "key, dry_run, max_failed, retry_of, Content-Encoding, Idempotency-Key, Prefer, traceparent")]
    [InlineData("post /cases/bulk", "dry_run, max_failed, retry_of, Content-Encoding, Idempotency-Key, Prefer, traceparent")]
    [InlineData("post /api-jobs/{id}/cancel", "id, Idempotency-Key, Prefer")]
    [InlineData("post /api-jobs/{id}/retry", "id, Idempotency-Key, Prefer, traceparent")]
    [InlineData("get /cases", "ref, postcode, updatedAfter, page, perPage")]
    public async Task Every_parameter_is_described(string operation, string names)
    {
        var schemas = new SchemaCheck(await DocumentAsync());
        var parameters = (await OperationsAsync())[operation].GetProperty("parameters").EnumerateArray().Select(schemas.Resolve).ToArray();
        string.Join(", ", parameters.Select(parameter => parameter.Text("name"))).ShouldBe(names);
        parameters.ShouldAllBe(parameter => parameter.Text("description")!.EndsWith('.'));
    }

    [Theory]
    [InlineData("get /api-jobs", "status", """{"enum":["pending","processing","completed","failed"],"type":"string"}""")]
    [InlineData("get /api-jobs", "limit", """{"maximum":100,"minimum":1,"type":"integer","format":"int32","default":25}""")]
    [InlineData("get /api-jobs", "parent_id", """{"type":"string","format":"uuid"}""")]
    [InlineData("get /api-jobs/{id}/records", "limit", """{"maximum":1000,"minimum":1,"type":"integer","format":"int32"}""")]
    [InlineData("get /api-jobs/{id}/records", "include", """{"type":"array","items":{"enum":["record"],"type":"string"}}""")]
    [InlineData("put /cases/bulk", "key", """{"enum":["id","ref"],"type":"string"}""")]
    [InlineData("put /cases/bulk", "dry_run", """{"type":"boolean"}""")]
    [InlineData("get /cases", "perPage", """{"maximum":100,"minimum":10,"type":"integer","format":"int32","default":50}""")]
    public async Task A_parameters_schema_has_what_the_endpoint_accepts(string operation, string name, string schema)
    {
        var parameter = (await OperationsAsync())[operation].GetProperty("parameters").EnumerateArray().Single(parameter => parameter.TryGetProperty("name", out var own) && own.GetString() == name);
        JsonElement.DeepEquals(parameter.GetProperty("schema"), JsonDocument.Parse(schema).RootElement).ShouldBeTrue(parameter.GetRawText());
    }

    [Fact]
    public async Task Lists_of_values_are_one_parameter_separated_by_commas()
    {
        var lists = (await OperationsAsync()).Values.SelectMany(operation => operation.TryGetProperty("parameters", out var all) ? all.EnumerateArray() : [])
            .Where(parameter => parameter.TryGetProperty("schema", out var schema) && schema.Text("type") == "array").ToList();
        lists.Count.ShouldBeGreaterThan(3);
        lists.ShouldAllBe(parameter => !parameter.GetProperty("explode").GetBoolean());
    }

    [Fact]
    public async Task A_bulk_requests_body_has_the_fields_of_its_resource()
    {
        var schemas = new SchemaCheck(await DocumentAsync());
        var operations = await OperationsAsync();
        JsonElement RecordOf(string operation) => schemas.Resolve(operations[operation].GetProperty("requestBody").GetProperty("content")
            .GetProperty("application/json").GetProperty("schema").GetProperty("items"));
        var update = RecordOf("patch /cases/bulk");
        update.GetProperty("required").EnumerateArray().Select(name => name.GetString()).ShouldBe(["id"]);
        update.GetProperty("properties").GetProperty("ref").GetProperty("maxLength").GetInt32().ShouldBe(TestResources.Case.Fields.Single(field => field.Name == "ref").MaxLength);
        update.GetProperty("properties").MemberNames().ShouldBe(["id", .. TestResources.Case.Fields.Select(field => field.Name)]);
        RecordOf("post /cases/tags/bulk").TryGetProperty("properties", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_jobs_schema_requires_the_seeds_members_and_knows_those_that_can_be_asked_for()
    {
        var job = (await DocumentAsync()).GetProperty("components").GetProperty("schemas").GetProperty("ApiJob");
        string[] ofSeed =
        [
            "id", "type", "company_id", "start_time", "end_time", "status", "message", "total_records", "effected_records", "created_at", "updated_at",
        ];
        job.GetProperty("required").EnumerateArray().Select(name => name.GetString()).ShouldBe(ofSeed);
        job.GetProperty("properties").MemberNames().ShouldBe([.. ofSeed, "counts", "links", "failure", "origin", "progress"]);
    }

    [Fact]
    public async Task Every_problem_but_those_of_routing_is_described_with_its_own_status()
    {
        var document = await DocumentAsync();
        var schemas = new SchemaCheck(document);
        var described = (await OperationsAsync()).Values
            .SelectMany(operation => operation.GetProperty("responses").EnumerateObject())
            .Where(response => response.Name[0] is '4' or '5')
            .SelectMany(response => schemas.Resolve(response.Value).GetProperty("content").GetProperty("application/problem+json").GetProperty("schema")
                .GetProperty("allOf")[1].GetProperty("properties").GetProperty("code").GetProperty("enum").EnumerateArray().Select(code => (code.GetString()!, int.Parse(response.Name))))
            .ToHashSet();
        described.ShouldBe(Problems.All.Where(kind => kind != Problems.MethodNotAllowed).Select(kind => (kind.Code, kind.Status)), ignoreOrder: true);
    }

    [Fact]
    public async Task Answers_are_held_to_the_document()
    {
        var client = server.ClientOf(ApiServer.NewCompany());
        var answer = await client.SendAsync(HttpMethod.Get, "api-jobs");
        DescribedAnswers.Check(answer, JsonDocument.Parse("""{"data":[]}""").RootElement).ShouldBeTrue();
        Should.Throw<ShouldAssertException>(() => DescribedAnswers.Check(answer, JsonDocument.Parse("""{"data":{}}""").RootElement));
        Should.Throw<ShouldAssertException>(() => DescribedAnswers.Check(answer, JsonDocument.Parse("""{"data":[],"more":1}""").RootElement));
        answer.StatusCode = HttpStatusCode.Gone;
        Should.Throw<ShouldAssertException>(() => DescribedAnswers.Check(answer, JsonDocument.Parse("""{"data":[]}""").RootElement));
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
