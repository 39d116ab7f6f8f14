using System.Text.Json.Serialization;
using ApiJobs.Operations;
using ApiJobs.Records;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>An operation whose records say what their handling does: crash in one of its parts, or whatever a test gives as effect.</summary>
internal sealed class FaultyOperation(Func<IReadOnlyList<BulkRecord<Fault>>, OperationContext, CancellationToken, Task>? effects = null)
    : BulkOperation<Fault>("faulty_bulk_create", "Faulty", FaultJson.Default.Fault)
{
    private int _effectCount;

    public override int MaxChunkRecords => ChunkRecords;

    public int ChunkRecords { get; init; } = 10;

    /// <summary>How often a record was handled that came to the effects.</summary>
    public int EffectCount => _effectCount;

    /// <summary>Counts an effect that no transaction takes back.</summary>
    public void Effect() => Interlocked.Increment(ref _effectCount);

    protected override string? KeyOf(Fault content) =>
        content.In == "key" ? throw new InvalidCastException("The key crashed.") : content.Id;

    protected override void Check(BulkRecord<Fault> record)
    {
        if (record.Content.In == "check")
            throw new InvalidOperationException("The check crashed.");
    }

    protected override async Task ApplyAsync(IReadOnlyList<BulkRecord<Fault>> records, OperationContext context, CancellationToken cancellationToken)
    {
        if (effects is not null)
            await effects(records, context, cancellationToken);
        foreach (var (outcome, content) in records)
        {
            if (content.In == "apply")
                throw new InvalidCastException("The effects crashed.");
            if (outcome.Outcome == RecordOutcome.Unprocessed)
                outcome.Created();
        }
    }
}

internal sealed record Fault(string? Id, string? In);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Fault))]
internal sealed partial class FaultJson : JsonSerializerContext;
