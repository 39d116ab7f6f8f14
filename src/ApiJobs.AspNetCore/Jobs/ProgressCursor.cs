using System.Globalization;
using ApiJobs.Jobs;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>How far a job was when an event told of it; the event's id.</summary>
/// <param name="NextChunk">The job's cursor.</param>
/// <param name="Processed">The records that have an outcome.</param>
internal readonly record struct ProgressCursor(int NextChunk, long Processed)
{
    public static ProgressCursor Of(ApiJob job) => new(job.NextChunk, job.Counts.Processed);

    /// <summary>Reads what a client has seen last.</summary>
    /// <returns>Null for what no event of this job can have had; it is taken for nothing.</returns>
    public static ProgressCursor? Of(ApiJob job, string? lastEventId) =>
        lastEventId?.Split('-') is [var chunk, var records]
        && int.TryParse(chunk, NumberStyles.None, CultureInfo.InvariantCulture, out var nextChunk) && nextChunk <= job.ChunkCount
        && long.TryParse(records, NumberStyles.None, CultureInfo.InvariantCulture, out var processed) && processed <= job.TotalRecords
            ? new(nextChunk, processed)
            : null;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{NextChunk}-{Processed}");
}
