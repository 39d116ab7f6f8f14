using System.Text.Json;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.Jobs;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>Answers what happened to a job, oldest first.</summary>
internal sealed class JobLogEndpoint(ApiJobEngine engine)
{
    public async Task GetAsync(HttpContext context, string id)
    {
        var job = await engine.FindNamedAsync(context, id);
        var lines = await engine.ReadLogAsync(job, context.RequestAborted);
        await JsonAnswer.Of(json => Write(json, lines)).WriteAsync(context.Response);
    }

    public static void Write(Utf8JsonWriter json, IReadOnlyList<JobLogLine> lines)
    {
        json.WriteStartObject();
        json.WriteStartArray("data"u8);
        foreach (var line in lines)
        {
            json.WriteStartObject();
            json.WriteMicroseconds("time"u8, line.Time);
            json.WriteString("event"u8, line.Event);
            json.WriteString("detail"u8, line.Detail);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
