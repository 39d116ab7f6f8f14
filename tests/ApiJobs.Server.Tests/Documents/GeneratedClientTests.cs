using System.Reflection;
using System.Text.Json;
using ApiJobs.Server.Tests.OAuth;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using NJsonSchema.CodeGeneration.CSharp;
using NSwag;
using NSwag.CodeGeneration.CSharp;
using NSwag.CodeGeneration.OperationNameGenerators;

namespace ApiJobs.Server.Tests.Documents;

/// <summary>What integrators do with the OpenAPI document: a client is generated from it as served, compiled, and does the main job.</summary>
public sealed class GeneratedClientTests
{
    private const string CompanyId = "aff00be6-f734-4094-a8ae-62874485dac0", Secret = "a secret of more than thirty-two characters";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_client_that_NSwag_generates_sends_records_and_reads_what_became_of_them()
    {
        var folder = Directory.CreateTempSubdirectory("apijobs-generated-");
        try
        {
            await using var server = await ServerProcess.StartAsync(
                new Dictionary<string, string>
                {
                    ["Bootstrap:Clients:0:ClientId"] = "generated",
                    ["Bootstrap:Clients:0:ClientSecret"] = Secret,
                    ["Bootstrap:Clients:0:CompanyId"] = CompanyId,
                    ["Bootstrap:Clients:0:Scopes"] = "jobs:read cases:read cases:write",
                },
                folder.FullName, cancellationToken: Cancel);
            using var tokens = await OAuthServer.RequestTokenAsync(server.Http, "generated", Secret);
            server.Http.DefaultRequestHeaders.Authorization = new("Bearer", (string?)System.Text.Json.Nodes.JsonNode.Parse(
                await tokens.Content.ReadAsStringAsync(Cancel))!["access_token"]);
            var type = Compile(await GenerateAsync(await server.Http.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), Cancel)));
            dynamic client = Activator.CreateInstance(type, server.Http)!;

            var caller = await client.WhoAmIAsync();
            ((Guid)caller.Company_id).ShouldBe(Guid.Parse(CompanyId));
            ((string)caller.Client_id).ShouldBe("generated");

            var bulk = (dynamic)JsonSerializer.Deserialize(
                """[{"ref":"A"},{"ref":"B","colour":"red"}]""",
                typeof(List<>).MakeGenericType(type.Assembly.GetType("Generated.CustomerCaseCreate").ShouldNotBeNull()))!;
            await client.CustomerCaseBulkCreateAsync(dry_run: true, max_failed: null, retry_of: null, content_Encoding: null, idempotency_Key: null, prefer: null, traceparent: null, body: bulk);
            // In earnest the ref of the first is still to be had.
            var job = await client.CustomerCaseBulkCreateAsync(dry_run: false, max_failed: null, retry_of: null, content_Encoding: null, idempotency_Key: "a key", prefer: "wait=30", traceparent: null, body: bulk);
            await Eventually.WithinAsync(TimeSpan.FromSeconds(30), async () =>
            {
                job = await client.GetApiJobAsync((Guid)job.Id, expand: null, if_None_Match: null, prefer: null);
                return job.End_time is not null;
            });
            ((string)job.Type).ShouldBe("customer_case_bulk_create");
            ((object)job.Status).ToString().ShouldBe("Completed");
            ((long)job.Total_records).ShouldBe(2);
            ((long)job.Effected_records).ShouldBe(1);

            var outcomes = ListOf(type, "ListApiJobRecordsAsync", "outcome", "Failed", "Unprocessed");
            var records = await client.ListApiJobRecordsAsync((Guid)job.Id, outcome: outcomes, code: null, limit: 10, cursor: null, include: null, raw: null);
            var failed = Enumerable.Single((IEnumerable<dynamic>)records.Data);
            ((long)failed.Index).ShouldBe(1);
            ((string)Enumerable.Single((IEnumerable<dynamic>)failed.Errors).Pointer).ShouldBe("/colour");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string> GenerateAsync(string document)
    {
        var settings = new CSharpClientGeneratorSettings
        {
            ClassName = "GeneratedClient",
            // The document's server is the one it came from.
            UseBaseUrl = false,
            OperationNameGenerator = new SingleClientFromOperationIdOperationNameGenerator(),
        };
        settings.CSharpGeneratorSettings.Namespace = "Generated";
        settings.CSharpGeneratorSettings.JsonLibrary = CSharpJsonLibrary.SystemTextJson;
        return new CSharpClientGenerator(await OpenApiDocument.FromJsonAsync(document, Cancel), settings).GenerateFile();
    }

    // Names as a program that is written against the client would have them.
    private static dynamic ListOf(Type client, string method, string parameter, params string[] names)
    {
        var type = client.GetMethods().First(one => one.Name == method).GetParameters().Single(one => one.Name == parameter).ParameterType.GetGenericArguments().Single();
        var list = Array.CreateInstance(type, names.Length);
        for (var i = 0; i < names.Length; i++)
            list.SetValue(Enum.Parse(type, names[i]), i);
        return list;
    }

    private static Type Compile(string code)
    {
        var libraries = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        var compilation = CSharpCompilation.Create(
            "GeneratedClient", [CSharpSyntaxTree.ParseText(code, cancellationToken: Cancel)], libraries.Select(library => MetadataReference.CreateFromFile(library)),
            new(OutputKind.DynamicallyLinkedLibrary));
        using var bytes = new MemoryStream();
        var result = compilation.Emit(bytes, cancellationToken: Cancel);
        result.Success.ShouldBeTrue(string.Join('\n', result.Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)));
        return Assembly.Load(bytes.ToArray()).GetType("Generated.GeneratedClient").ShouldNotBeNull();
    }
}
