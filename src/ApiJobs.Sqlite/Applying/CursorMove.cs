using ApiJobs.Jobs;
using ApiJobs.Sqlite.Lanes;
using ApiJobs.Sqlite.Resources;
using ApiJobs.Sqlite.Session;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Applying;

/// <summary>What applying chunks did: the jobs as they are since, and where the lane stands if one has ended. Nothing if they were not next.</summary>
internal sealed record MovedCursors(IReadOnlyList<ApiJob> Jobs, LanePositions? Lane = null);

/// <summary>Moves cursors past chunks together with their effects. Runs inside the writer's transaction.</summary>
internal sealed class CursorMove(SqliteTables tables, StoreClock clock)
{
    /// <summary>Applies consecutive chunks of a lane.</summary>
    /// <exception cref="EffectsException"><paramref name="apply"/> threw.</exception>
    internal async Task<MovedCursors> ApplyAsync(
        PreparedConnection connection, LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply,
        CancellationToken cancellationToken)
    {
        var runs = ChunkRun.Of(lease, chunks);
        if (!AreNext(connection, lease, runs))
            return new([]);

        var began = clock.Now();
        var outcomes = await MakeEffectsAsync(connection, chunks, apply, began, cancellationToken);

        var now = clock.Now();
        var jobs = new ApiJob[runs.Count];
        for (var index = 0; index < jobs.Length; index++)
            jobs[index] = Advance(connection, runs[index], outcomes, began, now);
        var ended = runs.Where(run => run.EndsJob).Select(run => run.Job.Id).ToList();
        return new(jobs, ended.Count == 0 ? null : JobEnd.End(connection, lease.CompanyId, lease.Lane, ended, failure: null, now));
    }

    // Nothing can change between this look and the writing: the transaction has held the write lock since it began.
    // It also keeps the lane's order whoever holds the lease: only the first unfinished jobs can be applied.
    private static bool AreNext(PreparedConnection connection, LaneLease lease, List<ChunkRun> runs)
    {
        using var unfinished = connection.Use("""
            SELECT id, next_chunk, created_count, updated_count, unchanged_count, failed_count, message_entries, message_bytes, start_time
            FROM jobs WHERE company_id = ?1 AND lane = ?2 AND end_time IS NULL
            ORDER BY position
            """);
        unfinished.Bind(1, lease.CompanyId).Bind(2, lease.Lane);
        foreach (var run in runs)
        {
            if (!unfinished.Read() || unfinished.Guid(0) != run.Job.Id || unfinished.Int32(1) != run.FirstIndex)
                return false;
            // What was read ahead may be older than what other chunks of the job have done since.
            run.Before = run.Job with
            {
                Counts = new(unfinished.Int64(2), unfinished.Int64(3), unfinished.Int64(4), unfinished.Int64(5)),
                MessageEntryCount = unfinished.Int64(6),
                MessageBytes = unfinished.Int32(7),
                StartTime = unfinished.IsNull(8) ? null : StoredTime.To(unfinished.Int64(8)),
            };
        }

        return true;
    }

    private async Task<IReadOnlyList<ChunkOutcome>> MakeEffectsAsync(
        PreparedConnection connection, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, DateTimeOffset began,
        CancellationToken cancellationToken)
    {
        IReadOnlyList<ChunkOutcome> outcomes;
        try
        {
            outcomes = await apply(new SqliteChunkTransaction(connection, tables, began), cancellationToken);
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
        }

        return outcomes;
    }

    /// <summary>Moves the cursor of a job past its chunks, with all that is known of them since.</summary>
    private static ApiJob Advance(
        PreparedConnection connection, ChunkRun run, IReadOnlyList<ChunkOutcome> outcomes, DateTimeOffset began, DateTimeOffset now)
    {
        var before = run.Before!;
        var after = before with { NextChunk = run.NextIndex, StartTime = before.StartTime ?? began, UpdatedAt = now, EndTime = run.EndsJob ? now : null };
        for (var position = run.First; position < run.End; position++)
        {
            var outcome = outcomes[position];
            StoreOutcome(connection, before, run.Chunks[position].Chunk.Index, outcome);
            after = after with
            {
                Counts = after.Counts + outcome.Counts,
                MessageEntryCount = after.MessageEntryCount + outcome.MessageEntryCount,
                MessageBytes = after.MessageBytes + outcome.MessageBytes,
            };
        }

        var update = connection.Use("""
            UPDATE jobs SET
                next_chunk = ?4, created_count = ?5, updated_count = ?6, unchanged_count = ?7, failed_count = ?8,
                message_entries = ?9, message_bytes = ?10, start_time = ?11, updated_at = ?12
            WHERE company_id = ?1 AND id = ?2 AND next_chunk = ?3 AND end_time IS NULL
            """);
        update.Bind(1, after.CompanyId).Bind(2, after.Id).Bind(3, run.FirstIndex).Bind(4, after.NextChunk)
            .Bind(5, after.Counts.Created).Bind(6, after.Counts.Updated).Bind(7, after.Counts.Unchanged).Bind(8, after.Counts.Failed)
            .Bind(9, after.MessageEntryCount).Bind(10, after.MessageBytes)
            .Bind(11, StoredTime.From(after.StartTime.Value)).Bind(12, StoredTime.From(now));
        if (update.Run() != 1)
            throw new InvalidOperationException($"The cursor of job {after.Id} moved inside the transaction that moves it.");
        return after;
    }

    private static void StoreOutcome(PreparedConnection connection, ApiJob job, int chunkIndex, ChunkOutcome outcome)
    {
        var insert = connection.Use("INSERT INTO chunk_results (company_id, job_id, chunk_index, outcomes, errors) VALUES (?1, ?2, ?3, ?4, ?5)");
        insert.Bind(1, job.CompanyId).Bind(2, job.Id).Bind(3, chunkIndex).Bind(4, outcome.Outcomes.Span);
        (outcome.Errors.IsEmpty ? insert.BindNull(5) : insert.Bind(5, outcome.Errors.Span)).Run();
        if (outcome.MessageText.Length > 0)
            connection.Use("INSERT INTO job_messages (company_id, job_id, chunk_index, text) VALUES (?1, ?2, ?3, ?4)")
                .Bind(1, job.CompanyId).Bind(2, job.Id).Bind(3, chunkIndex).Bind(4, outcome.MessageText).Run();
    }
}
