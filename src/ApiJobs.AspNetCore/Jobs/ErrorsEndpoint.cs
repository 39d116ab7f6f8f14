using System.Text.Json;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.Records;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>Answers what kinds of errors a job's records have, the most frequent first; also while it runs.</summary>
internal sealed class ErrorsEndpoint(ApiJobEngine engine)
{
    public async Task ListAsync(HttpContext context, string id)
    {
        var job = await engine.FindNamedAsync(context, id);
        var groups = await engine.ReadErrorsAsync(job, context.RequestAborted);
        await JsonAnswer.Of(json => Write(json, groups)).WriteAsync(context.Response);
    }

    public static void Write(Utf8JsonWriter json, IReadOnlyList<ErrorGroup> groups)
    {
        json.WriteStartObject();
        json.WriteStartArray("data"u8);
        foreach (var group in groups)
        {
            json.WriteStartObject();
            json.WriteString("code"u8, group.Code);
            json.WriteString("pointer"u8, group.Pointer);
            json.WriteNumber("count"u8, group.Count);
            json.WriteNumber("first_index"u8, group.FirstIndex);
            json.WriteString("message"u8, group.Message);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
