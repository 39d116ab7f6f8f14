using System.Text.Json;
using ApiJobs.Server.Tests.Contract;
using ApiJobs.Server.Tests.Documents;

namespace ApiJobs.Server.Tests.OpenApi;

/// <summary>The server's OpenAPI document: the checked-in one is the one that is served, others' tools accept it, and what it shows is as it says.</summary>
public sealed class OpenApiDocumentTests(DocumentServer server) : IClassFixture<DocumentServer>
{
    private const string TestClass = "*OpenApiDocumentTests";

    private static readonly string Reference = Path.Combine(Document.Root(), "docs", "reference");

    [Fact]
    public void The_document_that_is_checked_in_is_the_one_that_is_served() =>
        Document.ShouldBe(Path.Combine(Reference, "openapi.json"), $"{server.Text}\n", TestClass);

    [Fact]
    public void The_page_of_routes_has_what_the_document_has() =>
        Document.ShouldBe(Path.Combine(Reference, "routes.md"), ReferencePages.Routes(server.Document), TestClass);

    [Fact]
    public void The_page_of_headers_has_what_the_document_has() =>
        Document.ShouldBe(Path.Combine(Reference, "headers.md"), ReferencePages.Headers(server.Document), TestClass);

    [Fact]
    public void The_document_is_of_OpenAPI_3_1() => server.Document.Text("openapi")!.ShouldStartWith("3.1.");

    [Fact]
    public void Every_answer_and_body_has_an_example_that_is_as_its_schema_says()
    {
        var schemas = new SchemaCheck(server.Document);
        var checkedExamples = 0;
        foreach (var (name, content) in ContentsIn(schemas))
        {
            var examples = content.Value.TryGetProperty("examples", out var several)
                ? several.EnumerateObject().Select(example => example.Value.GetProperty("value")).ToList()
                : content.Value.TryGetProperty("example", out var one) ? [one] : [];
            // Of the token endpoint, a form is shown as JSON, and problems as everywhere.
            if (!name.StartsWith("post /oauth/token", StringComparison.Ordinal))
                examples.ShouldNotBeEmpty($"{name} {content.Name}");
            foreach (var example in examples)
            {
                schemas.FaultsOf(example, content.Value.GetProperty("schema")).ShouldBeEmpty($"{name} {content.Name}: {example}");
                checkedExamples++;
            }
        }

        checkedExamples.ShouldBeGreaterThan(100);
    }

    [Fact]
    public void Every_example_of_a_header_is_as_its_schema_says()
    {
        var schemas = new SchemaCheck(server.Document);
        var components = server.Document.GetProperty("components");
        var headers = components.GetProperty("headers").EnumerateObject().Concat(components.GetProperty("parameters").EnumerateObject()).ToList();
        headers.Count.ShouldBeGreaterThan(15);
        foreach (var header in headers)
            schemas.FaultsOf(header.Value.GetProperty("example"), header.Value.GetProperty("schema")).ShouldBeEmpty(header.Name);
    }

    [Fact]
    public void What_is_not_as_the_schema_says_is_a_fault()
    {
        var schemas = new SchemaCheck(server.Document);
        var schema = server.Document.GetProperty("components").GetProperty("schemas").GetProperty("RecordError");
        schemas.FaultsOf(JsonDocument.Parse("""{"code":"not_found","message":"m","pointer":""}""").RootElement, schema).ShouldBeEmpty();
        schemas.FaultsOf(JsonDocument.Parse("""{"code":"Not found","message":1,"more":null}""").RootElement, schema).Count.ShouldBe(4);
    }

    [Fact]
    public async Task Redocly_finds_nothing_to_say_of_it()
    {
        var findings = await LintAsync(server.Text);
        TestContext.Current.TestOutputHelper!.WriteLine(string.Join('\n', findings));
        findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task Redocly_finds_what_is_wrong_with_another_one() =>
        (await LintAsync(server.Text.Replace("\"operationId\": \"getLimits\"", "\"operationId\": \"listApiJobs\"", StringComparison.Ordinal)))
            .ShouldHaveSingleItem().ShouldContain("operation-operationId-unique");

    [Fact]
    public async Task TypeScript_accepts_the_types_that_are_made_of_it() => await WithFileAsync(server.Text, async file =>
    {
        var types = Path.ChangeExtension(file, ".ts");
        var (made, making) = await NpmTools.RunAsync("openapi-typescript", file, "--output", types);
        made.ShouldBe(0, making);
        // The types are used as an integrator would, or empty ones would do.
        await File.AppendAllTextAsync(types, """

            type Jobs = paths["/engine/api/api-jobs"]["get"];
            export const query: Jobs["parameters"]["query"] = { status: "completed", limit: 10, expand: ["counts", "links"] };
            export const record: components["schemas"]["CustomerCaseUpdate"] = { id: "4528a261-917d-4cbc-939e-7ea48cffca69", ref: null, meta: { a: null } };
            export const ended = (job: Jobs["responses"][200]["content"]["application/json"]["data"][0]): string | null => job.end_time;
            // @ts-expect-error There is no such status.
            export const wrong: Jobs["parameters"]["query"] = { status: "done" };

            """, TestContext.Current.CancellationToken);
        var (exitCode, output) = await NpmTools.RunAsync("tsc", "--noEmit", "--strict", types);
        exitCode.ShouldBe(0, output);
        return 0;
    });

    private IEnumerable<(string Name, JsonProperty Content)> ContentsIn(SchemaCheck schemas)
    {
        foreach (var path in server.Document.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                var name = $"{operation.Name} {path.Name}";
                if (operation.Value.TryGetProperty("requestBody", out var body))
                {
                    foreach (var content in body.GetProperty("content").EnumerateObject())
                        yield return ($"{name} body", content);
                }

                foreach (var response in operation.Value.GetProperty("responses").EnumerateObject())
                {
                    if (!schemas.Resolve(response.Value).TryGetProperty("content", out var contents))
                        continue;
                    foreach (var content in contents.EnumerateObject())
                        yield return ($"{name} {response.Name}", content);
                }
            }
        }
    }

    // What breaks the recommended rules, warnings too.
    private static async Task<List<string>> LintAsync(string document)
    {
        var (_, output) = await WithFileAsync(document, file => NpmTools.RunAsync("redocly", "lint", "--extends=recommended", "--format=json", file));
        var (from, to) = (output.IndexOf('{', StringComparison.Ordinal), output.LastIndexOf('}'));
        to.ShouldBeGreaterThan(from, output);
        return [.. JsonDocument.Parse(output[from..(to + 1)]).RootElement.GetProperty("problems").EnumerateArray().Select(finding => finding.GetRawText())];
    }

    private static async Task<T> WithFileAsync<T>(string document, Func<string, Task<T>> useAsync)
    {
        var folder = Directory.CreateTempSubdirectory("apijobs-openapi-");
        try
        {
            var file = Path.Combine(folder.FullName, "openapi.json");
            await File.WriteAllTextAsync(file, document, TestContext.Current.CancellationToken);
            return await useAsync(file);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
