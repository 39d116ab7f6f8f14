using System.Globalization;
using System.Text;
using System.Text.Json;
using ApiJobs.Server.Tests.Contract;

namespace ApiJobs.Server.Tests.OpenApi;

/// <summary>Makes pages of the reference of the OpenAPI document.</summary>
internal static class ReferencePages
{
    public static string Routes(JsonElement document)
    {
        var page = new StringBuilder(
            """
            # Routes

            Made of [openapi.json](openapi.json), which says more: each parameter's values, each answer's schema, headers and codes. A server shows it at
            `/docs`. `HEAD` is there wherever `GET` is. The paths are those of the default `Http:BasePath`, `/engine/api`. Not described
            there: `/health/live` and `/health/ready`, `/.well-known/openid-configuration` and `/.well-known/jwks`, `/openapi/v1.json`, `/docs`.

            """);
        foreach (var group in OperationsIn(document).GroupBy(operation => operation.Json.GetProperty("tags")[0].GetString()!))
        {
            var description = document.GetProperty("tags").EnumerateArray().Single(tag => tag.Text("name") == group.Key).Text("description");
            page.Append(CultureInfo.InvariantCulture, $"\n## {group.Key}\n\n{description}\n\n| route | scope | what it does | answers |\n|---|---|---|---|\n");
            foreach (var (method, path, json) in group)
                page.Append(CultureInfo.InvariantCulture, $"| `{method} {path}` | {ScopeOf(json)} | {json.Text("summary")} | {AnswersOf(json)} |\n");
            foreach (var (method, path, json) in group)
            {
                var parameters = json.TryGetProperty("parameters", out var all) ? all.EnumerateArray().ToList() : [];
                var query = parameters.Where(parameter => parameter.TryGetProperty("in", out var place) && place.GetString() == "query").ToList();
                if (query.Count == 0)
                    continue;
                page.Append(CultureInfo.InvariantCulture, $"\n`{method} {path}` takes:\n\n| parameter | values | |\n|---|---|---|\n");
                foreach (var parameter in query)
                    page.Append(CultureInfo.InvariantCulture, $"| `{parameter.Text("name")}` | {ValuesOf(parameter.GetProperty("schema"))} | {Cell(parameter.Text("description")!)} |\n");
            }
        }

        return page.ToString();
    }

    public static string Headers(JsonElement document)
    {
        var schemas = new SchemaCheck(document);
        var sent = new SortedDictionary<string, (SortedSet<string> Said, SortedSet<string> Where)>(StringComparer.Ordinal);
        var answered = new SortedDictionary<string, (SortedSet<string> Said, SortedSet<string> Where)>(StringComparer.Ordinal);
        foreach (var (_, _, json) in OperationsIn(document))
        {
            var id = json.Text("operationId")!;
            foreach (var parameter in (json.TryGetProperty("parameters", out var all) ? all.EnumerateArray() : []).Select(schemas.Resolve).Where(parameter => parameter.Text("in") == "header"))
                Note(sent, parameter.Text("name")!, parameter.Text("description")!, id);
            foreach (var response in json.GetProperty("responses").EnumerateObject())
            {
                if (!schemas.Resolve(response.Value).TryGetProperty("headers", out var headers))
                    continue;
                foreach (var header in headers.EnumerateObject())
                    Note(answered, header.Name, schemas.Resolve(header.Value).Text("description")!, response.Name);
            }
        }

        var page = new StringBuilder(
            """
            # Headers

            Made of [openapi.json](openapi.json). Every request but the one for a token also needs `Authorization: Bearer …`, and a body its `Content-Type`.
            `Accept` chooses what the records of a job are answered as.

            ## Of requests

            | header | what it does | operations |
            |---|---|---|

            """);
        foreach (var (name, (said, where)) in sent)
            page.Append(CultureInfo.InvariantCulture, $"| `{name}` | {Cell(string.Join(' ', said))} | {string.Join(", ", where.Select(id => $"`{id}`"))} |\n");
        page.Append("\n## Of answers\n\n| header | what it says | statuses |\n|---|---|---|\n");
        foreach (var (name, (said, where)) in answered)
            page.Append(CultureInfo.InvariantCulture, $"| `{name}` | {Cell(string.Join(' ', said))} | {string.Join(", ", where)} |\n");
        return page.ToString();
    }

    private static void Note(SortedDictionary<string, (SortedSet<string> Said, SortedSet<string> Where)> headers, string name, string said, string where)
    {
        if (!headers.TryGetValue(name, out var header))
            headers.Add(name, header = (new(StringComparer.Ordinal), new(StringComparer.Ordinal)));
        header.Said.Add(said);
        header.Where.Add(where);
    }

    private static IEnumerable<(string Method, string Path, JsonElement Json)> OperationsIn(JsonElement document) =>
        document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject()
            .Select(operation => (operation.Name.ToUpperInvariant(), path.Name, operation.Value)));

    private static string ScopeOf(JsonElement operation) => operation.GetProperty("security")[0].EnumerateObject().ToList() switch
    {
        [] => "no token",
        [var scheme] when scheme.Value.GetArrayLength() > 0 => $"`{scheme.Value[0].GetString()}`",
        _ => "any",
    };

    private static string AnswersOf(JsonElement operation) => string.Join(" ", operation.GetProperty("responses").MemberNames());

    private static string ValuesOf(JsonElement schema)
    {
        if (schema.TryGetProperty("items", out var items))
            return $"{ValuesOf(items)}, separated by commas";
        if (schema.TryGetProperty("enum", out var values))
            return string.Join(", ", values.EnumerateArray().Select(value => $"`{value.GetString()}`"));
        var otherwise = schema.TryGetProperty("default", out var value) ? $"; {value.GetRawText()}" : "";
        if (schema.TryGetProperty("minimum", out var minimum))
            return $"{minimum.GetRawText()} … {schema.GetProperty("maximum").GetRawText()}{otherwise}";
        return schema.TryGetProperty("format", out var format) ? format.GetString()! : schema.Text("type")!;
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
