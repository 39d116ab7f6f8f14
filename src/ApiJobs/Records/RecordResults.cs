using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Storage;

namespace ApiJobs.Records;

/// <summary>Puts a stored chunk and its outcomes together again, record by record.</summary>
internal static class RecordResults
{
    public static IEnumerable<RecordResult> Of(ApiJob job, ChunkResult result, BulkOperation? operation)
    {
        var chunk = result.Chunk;
        // What was applied since the job was read is not told: so all that is told is of one moment, however long it takes.
        var outcomes = chunk.Index < job.NextChunk ? result.Outcomes : ReadOnlyMemory<byte>.Empty;
        var errorsByIndex = ChunkErrors.Read(result.Errors).ToDictionary(failed => failed.Index, failed => failed.Errors);
        var offset = 0;
        foreach (var (json, line) in ChunkPayload.SplitWithLines(chunk.Payload))
        {
            var index = chunk.FirstRecord + offset;
            var outcome = offset < outcomes.Length ? (RecordOutcome)outcomes.Span[offset] : RecordOutcome.Unprocessed;
            offset++;

            yield return new(index, KeyOf(json, index, outcome), outcome, outcome == RecordOutcome.Failed ? errorsByIndex.GetValueOrDefault(index, []) : [], chunk.Index)
            {
                Line = line,
                Json = json,
            };
        }

        // Keys are not stored beside the outcomes: they follow from the record, so reading them again costs no space.
        string? KeyOf(ReadOnlyMemory<byte> json, long index, RecordOutcome outcome)
        {
            if (operation is null)
                return null;
            if (outcome is not (RecordOutcome.Failed or RecordOutcome.Unprocessed)
                && operation.TryReadKey(json.Span, job, index, outcome, out var key))
            {
                return key;
            }

            var record = new JobRecord(job.Id, index, json);
            operation.TryPrepare(record, job.Options);
            return record.KeyFor(outcome);
        }
    }
}
