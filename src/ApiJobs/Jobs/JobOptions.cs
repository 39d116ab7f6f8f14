using System.Text.Json;
using System.Text.Json.Serialization;

namespace ApiJobs.Jobs;

/// <summary>What a bulk request asked for beyond its type; stored with the job.</summary>
public sealed record JobOptions
{
    /// <summary>The options of a request that asked for nothing.</summary>
    public static JobOptions None { get; } = new();

    /// <summary>The unique field that an upsert finds its rows by; null means the resource's key, <c>id</c>.</summary>
    public string? KeyField { get; init; }

    /// <summary>Whether the job is a rehearsal: it tells what would happen, and changes no row.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool DryRun { get; init; }

    /// <summary>Writes the options as the compact JSON that stores keep, or null when there are none.</summary>
    public string? ToJson() => this == None ? null : JsonSerializer.Serialize(this, JobOptionsJson.Default.JobOptions);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    public static JobOptions FromJson(string? json) =>
        json is null ? None : JsonSerializer.Deserialize(json, JobOptionsJson.Default.JobOptions)!;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JobOptions))]
internal sealed partial class JobOptionsJson : JsonSerializerContext;
