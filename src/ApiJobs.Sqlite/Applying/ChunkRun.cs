using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Applying;

/// <summary>The chunks of one job in a group, at <paramref name="first"/> up to <paramref name="end"/> of all: they move its cursor once.</summary>
internal sealed class ChunkRun(IReadOnlyList<PendingChunk> chunks, int first, int end)
{
    internal IReadOnlyList<PendingChunk> Chunks => chunks;

    internal int First => first;

    internal int End => end;

    /// <summary>The job as it was when its chunks were read.</summary>
    internal ApiJob Job => chunks[first].Job;

    /// <summary>The job as it is before the group, once that is known.</summary>
    internal ApiJob? Before { get; set; }

    internal int FirstIndex => chunks[first].Chunk.Index;

    internal int NextIndex => chunks[end - 1].Chunk.Index + 1;

    internal bool EndsJob => chunks[end - 1].IsLast;

    /// <summary>Sorts the chunks of a group by job.</summary>
    /// <exception cref="ArgumentException">They are not of the leased lane, or not consecutive.</exception>
    internal static List<ChunkRun> Of(LaneLease lease, IReadOnlyList<PendingChunk> chunks)
    {
        var runs = new List<ChunkRun>();
        for (var first = 0; first < chunks.Count;)
        {
            var job = chunks[first].Job;
            if (job.CompanyId != lease.CompanyId || job.Lane != lease.Lane)
                throw new ArgumentException($"Job {job.Id} is not of the leased lane.", nameof(chunks));
            var end = first + 1;
            for (; end < chunks.Count && chunks[end].Job.Id == job.Id; end++)
            {
                if (chunks[end].Chunk.Index != chunks[end - 1].Chunk.Index + 1)
                    throw new ArgumentException($"The chunks of job {job.Id} are not consecutive.", nameof(chunks));
            }

            runs.Add(new ChunkRun(chunks, first, end));
            first = end;
        }

        return runs;
    }
}
