using ApiJobs.Jobs;
using ApiJobs.Sqlite.Asking;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Sqlite.Lanes;
using ApiJobs.Sqlite.Resources;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Applying;

/// <summary>The jobs that chunks were applied of, as they are since, and where their lane stands if one has ended.</summary>
internal sealed record AppliedJobs(IReadOnlyList<ApiJob> Jobs, LanePositions? Lane = null);

/// <summary>Moves cursors past chunks together with their effects. Runs inside the writer's transaction.</summary>
internal sealed class ChunkApplying(ResourceTables tables, StoreClock clock)
{
    /// <summary>Applies consecutive chunks of a lane.</summary>
    /// <returns>The jobs as they are since; none if a cursor was elsewhere.</returns>
    /// <exception cref="EffectsException"><paramref name="apply"/> threw.</exception>
    internal async Task<AppliedJobs> ApplyAsync(
        SqliteSession session, LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken)
    {
        var runs = Runs(lease, chunks);
        if (!AreNext(session, lease, runs))
            return new([]);
        var began = clock.Now;
        foreach (var run in runs)
            MoveCursor(session, run, began);

        var outcomes = await MakeEffectsAsync(session, chunks, apply, began, cancellationToken);

        var now = clock.Now;
        var jobs = new List<ApiJob>(runs.Count);
        foreach (var run in runs)
            jobs.Add(StoreOutcomes(session, run, outcomes, now));

        if (!jobs.Exists(job => job.HasEnded))
            return new(jobs);
        var ended = jobs.Where(job => job.HasEnded).Aggregate(default(Backlog), (sum, job) => sum + new Backlog(job.TotalRecords, job.TotalBytes));
        return new(jobs, LaneRows.MoveHead(session, lease.CompanyId, lease.Lane, ended, now));
    }

    /// <summary>The chunks by job: consecutive chunks of one job move its cursor once.</summary>
    private static List<Run> Runs(LaneLease lease, IReadOnlyList<PendingChunk> chunks)
    {
        var runs = new List<Run>();
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

            runs.Add(new(chunks, first, end));
            first = end;
        }

        return runs;
    }

    // Nothing can change between this look and the writing: the transaction has held the write lock since it began.
    // It also keeps the lane's order whoever holds the lease: only the first unfinished jobs can be applied.
    private static bool AreNext(SqliteSession session, LaneLease lease, List<Run> runs)
    {
        using var unfinished = session.Use("""
            SELECT id, next_chunk FROM jobs
            WHERE company_id = ?1 AND lane = ?2 AND end_time IS NULL
            ORDER BY position
            """);
        unfinished.Bind(1, lease.CompanyId).Bind(2, lease.Lane);
        foreach (var run in runs)
        {
            if (!unfinished.Read() || unfinished.Guid(0) != run.Job.Id || unfinished.Int32(1) != run.FirstIndex)
                return false;
        }

        return true;
    }

    private static void MoveCursor(SqliteSession session, Run run, DateTimeOffset now)
    {
        var moved = session.Use("""
            UPDATE jobs SET next_chunk = ?4, start_time = coalesce(start_time, max(?5, created_at))
            WHERE company_id = ?1 AND id = ?2 AND next_chunk = ?3 AND end_time IS NULL
            """);
        moved.Bind(1, run.Job.CompanyId).Bind(2, run.Job.Id).Bind(3, run.FirstIndex).Bind(4, run.NextIndex).Bind(5, StoredTime.From(now));
        if (moved.Run() != 1)
            throw new InvalidOperationException($"The cursor of job {run.Job.Id} moved inside the transaction that moves it.");
    }

    private async Task<IReadOnlyList<ChunkOutcome>> MakeEffectsAsync(
        SqliteSession session, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, DateTimeOffset now, CancellationToken cancellationToken)
    {
        IReadOnlyList<ChunkOutcome> outcomes;
        try
        {
            outcomes = await apply(new SqliteChunkTransaction(session, tables, now), cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
        }
        catch (Exception exception)
        {
            throw new EffectsException(exception);
        }

        if (outcomes.Count != chunks.Count)
            throw new InvalidOperationException($"{chunks.Count} chunks were applied, but {outcomes.Count} outcomes came back.");
        for (var index = 0; index < chunks.Count; index++)
        {
            if (outcomes[index].Outcomes.Length != chunks[index].Chunk.RecordCount)
                throw new InvalidOperationException(
                    $"A chunk of {chunks[index].Chunk.RecordCount} records came back with {outcomes[index].Outcomes.Length} outcomes.");
            if (outcomes[index].Failure is not null && index + 1 < chunks.Count && chunks[index + 1].Job.Id == chunks[index].Job.Id)
                throw new InvalidOperationException($"Job {chunks[index].Job.Id} was to end with chunk {chunks[index].Chunk.Index}, but a later one was applied.");
        }

        return outcomes;
    }

    private static ApiJob StoreOutcomes(SqliteSession session, Run run, IReadOnlyList<ChunkOutcome> outcomes, DateTimeOffset now)
    {
        var counts = default(OutcomeCounts);
        int messageEntries = 0, messageBytes = 0;
        for (var position = run.First; position < run.End; position++)
        {
            var outcome = outcomes[position];
            var chunkIndex = run.Chunks[position].Chunk.Index;
            counts += outcome.Counts;
            messageEntries += outcome.MessageEntryCount;
            messageBytes += outcome.MessageBytes;
            var insert = session.Use("INSERT INTO chunk_results (company_id, job_id, chunk_index, outcomes, errors) VALUES (?1, ?2, ?3, ?4, ?5)");
            insert.Bind(1, run.Job.CompanyId).Bind(2, run.Job.Id).Bind(3, chunkIndex).Bind(4, outcome.Outcomes.Span);
            (outcome.Errors.IsEmpty ? insert.BindNull(5) : insert.Bind(5, outcome.Errors.Span)).Run();
            ErrorRows.Add(session, run.Job.CompanyId, run.Job.Id, outcome.ErrorGroups);
            if (outcome.MessageText.Length > 0)
                session.Use("INSERT INTO job_messages (company_id, job_id, chunk_index, text) VALUES (?1, ?2, ?3, ?4)")
                    .Bind(1, run.Job.CompanyId).Bind(2, run.Job.Id).Bind(3, chunkIndex).Bind(4, outcome.MessageText).Run();
            foreach (var entry in outcome.Log)
                LogRows.Add(session, run.Job.CompanyId, run.Job.Id, entry, now);
        }

        var failure = outcomes[run.End - 1].Failure;
        return JobProgress.Advance(session, run.Job, counts, messageEntries, messageBytes, run.IsLast || failure is not null, failure, now)
            ?? throw new InvalidOperationException($"Job {run.Job.Id} ended inside the transaction that applies it.");
    }

    /// <summary>The chunks of one job, at <paramref name="First"/> up to <paramref name="End"/> of all.</summary>
    private sealed record Run(IReadOnlyList<PendingChunk> Chunks, int First, int End)
    {
        internal ApiJob Job => Chunks[First].Job;

        internal int FirstIndex => Chunks[First].Chunk.Index;

        internal int NextIndex => Chunks[End - 1].Chunk.Index + 1;

        internal bool IsLast => Chunks[End - 1].IsLast;
    }
}
