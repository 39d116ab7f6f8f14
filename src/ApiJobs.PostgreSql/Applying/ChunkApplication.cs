using System.Data;
using System.Diagnostics;
using ApiJobs.Jobs;
using ApiJobs.PostgreSql.Resources;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Records;
using ApiJobs.Storage;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql.Applying;

/// <summary>Moves cursors together with the effects: one transaction for a group of consecutive chunks.</summary>
internal sealed class ChunkApplication(StoreSession session, PostgreSqlTables tables, TimeSpan idleTimeout)
{
    // The heart of exactly-once: whoever finds the cursor elsewhere, or the job ended, goes away empty-handed. OFFSET keeps
    // the company a column of the join, so that jobs are looked up by key even where statistics know nothing of it.
    private const string MoveCursorsSql = """
        UPDATE jobs j SET next_chunk = c.next_chunk, start_time = COALESCE(j.start_time, GREATEST(j.created_at, now()))
        FROM (
            SELECT $1::uuid AS company_id, *
            FROM unnest($2::uuid[], $3::int[], $4::int[]) AS c(job_id, expected, next_chunk)
            OFFSET 0) c
        WHERE j.company_id = c.company_id AND j.id = c.job_id AND j.next_chunk = c.expected AND j.end_time IS NULL
        """;

    private const string StoreResultsSql = """
        INSERT INTO chunk_results (company_id, job_id, chunk_index, outcomes, errors)
        SELECT $1, * FROM unnest($2::uuid[], $3::int[], $4::bytea[], $5::bytea[])
        """;

    private const string StoreMessagesSql = """
        INSERT INTO job_messages (company_id, job_id, chunk_index, text)
        SELECT $1, * FROM unnest($2::uuid[], $3::int[], $4::text[])
        """;

    private readonly TransactionKind _kind = TransactionKind.Applying(idleTimeout);

    internal async Task<IReadOnlyList<ApiJob>> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken)
    {
        if (chunks.Count == 0)
            return [];

        var jobs = chunks.GroupBy(chunk => chunk.Job.Id).Select(job => new MovedJob(job)).ToArray();
        var connection = await PostgreSqlFaults.ServeAsync(session.OpenAsync(cancellationToken).AsTask());
        var isCommitting = false;
        try
        {
            // Its BEGIN travels with the first statement.
            var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
            if (await PostgreSqlFaults.ServeAsync(MoveCursorsAsync(connection, lease.CompanyId, jobs, cancellationToken)) is not { } now)
                return [];
            var began = Stopwatch.GetTimestamp();

            IReadOnlyList<ChunkOutcome> outcomes;
            try
            {
                outcomes = await apply(new PostgreSqlChunkTransaction(connection, transaction, tables, now), cancellationToken);
            }
            catch (Exception exception) when (connection.FullState != ConnectionState.Open
                && PostgreSqlFaults.Classify(exception) is not StoreFault.Transient and not StoreFault.TooSlow)
            {
                // The connection died under the handler: what the handler made of that is not a record's fault.
                throw PostgreSqlFaults.Unavailable(exception);
            }

            CheckOutcomes(chunks, outcomes);
            cancellationToken.ThrowIfCancellationRequested();
            isCommitting = true;
            return await PostgreSqlFaults.ServeAsync(session.CommitAsync(
                connection, untilCommit => CommitAsync(connection, lease, jobs, chunks, outcomes, began, untilCommit)));
        }
        finally
        {
            // What is not committed is rolled back with it.
            if (!isCommitting)
                await connection.DisposeAsync();
        }
    }

    /// <summary>Moves all cursors, and locks the jobs.</summary>
    /// <returns>When the transaction began; null if a cursor was elsewhere.</returns>
    private async Task<DateTimeOffset?> MoveCursorsAsync(
        NpgsqlConnection connection, Guid companyId, MovedJob[] jobs, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(session.Settings(_kind, companyId));
        var moving = Sql.Statement(
            MoveCursorsSql, Sql.Value(companyId), Sql.Column(jobs, job => job.Advance.Id, NpgsqlDbType.Uuid),
            Sql.Column(jobs, job => job.FirstChunk, NpgsqlDbType.Integer), Sql.Column(jobs, job => job.NextChunk, NpgsqlDbType.Integer));
        batch.BatchCommands.Add(moving);
        // Of a resource's statements and an operation's own, this store does not know the one right plan.
        batch.BatchCommands.Add(Sql.Statement(TransactionKind.PlanAfreshSql));
        await session.PrepareAsync(batch, cancellationToken);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var now = reader.GetFieldValue<DateTimeOffset>(0);
        while (await reader.NextResultAsync(cancellationToken)) { }
        return moving.Rows == (ulong)jobs.Length ? now : null;
    }

    private async Task<IReadOnlyList<ApiJob>> CommitAsync(
        NpgsqlConnection connection, LaneLease lease, MovedJob[] jobs, IReadOnlyList<PendingChunk> chunks,
        IReadOnlyList<ChunkOutcome> outcomes, long began, CancellationToken untilCommit)
    {
        var applied = chunks.Zip(outcomes, (chunk, outcome) => new AppliedChunk(chunk, outcome)).ToArray();
        var jobById = jobs.ToDictionary(job => job.Advance.Id);
        foreach (var chunk in applied)
            jobById[chunk.JobId].Add(chunk.Outcome);

        await using var batch = new NpgsqlBatch(connection) { Timeout = 0 };
        batch.BatchCommands.Add(Sql.Statement(TransactionKind.PlanByKeySql));
        AddOutcomes(batch, lease.CompanyId, applied);
        var sinceBegin = Stopwatch.GetElapsedTime(began);
        JobProgress.AddTo(batch, lease.CompanyId, lease.Lane, Array.ConvertAll(jobs, job => job.Advance), sinceBegin);
        var entries = applied.SelectMany(chunk => chunk.Outcome.Log, (chunk, entry) => (chunk.JobId, entry)).ToArray();
        if (entries.Length > 0)
            batch.BatchCommands.Add(LogStatements.Add(lease.CompanyId, entries, sinceBegin));
        StoreSession.Commit(batch);
        await session.PrepareAsync(batch, untilCommit);
        await using var reader = await batch.ExecuteReaderAsync(untilCommit);
        await reader.NextResultAsync(untilCommit);
        var since = new Dictionary<Guid, ApiJob>(jobs.Length);
        while (await reader.ReadAsync(untilCommit))
        {
            var job = jobById[reader.GetGuid(0)];
            since.Add(job.Advance.Id, JobProgress.Read(reader, job.Job) with { NextChunk = job.NextChunk, Failure = job.Advance.Failure });
        }

        while (await reader.NextResultAsync(untilCommit)) { }
        return Array.ConvertAll(jobs, job => since[job.Advance.Id]);
    }

    private static void AddOutcomes(NpgsqlBatch batch, Guid companyId, AppliedChunk[] applied)
    {
        batch.BatchCommands.Add(Sql.Statement(
            StoreResultsSql, Sql.Value(companyId), Sql.Column(applied, chunk => chunk.JobId, NpgsqlDbType.Uuid),
            Sql.Column(applied, chunk => chunk.Index, NpgsqlDbType.Integer),
            Sql.Column(applied, chunk => chunk.Outcome.Outcomes, NpgsqlDbType.Bytea),
            Sql.Column(applied, chunk => chunk.Outcome.Errors.IsEmpty ? (ReadOnlyMemory<byte>?)null : chunk.Outcome.Errors, NpgsqlDbType.Bytea)));

        var speaking = Array.FindAll(applied, chunk => chunk.Outcome.MessageText.Length > 0);
        if (speaking.Length > 0)
        {
            batch.BatchCommands.Add(Sql.Statement(
                StoreMessagesSql, Sql.Value(companyId), Sql.Column(speaking, chunk => chunk.JobId, NpgsqlDbType.Uuid),
                Sql.Column(speaking, chunk => chunk.Index, NpgsqlDbType.Integer),
                Sql.Column(speaking, chunk => chunk.Outcome.MessageText, NpgsqlDbType.Text)));
        }

        ErrorCounting.AddTo(batch, companyId, [
            .. from chunk in applied
               where chunk.Outcome.ErrorGroups.Count > 0
               group chunk.Outcome.ErrorGroups by chunk.JobId into job
               from kind in ErrorGroup.Merge([.. job])
               select (job.Key, kind),
        ]);
    }

    // An outcome too few or too many would be stored for good, and counted.
    private static void CheckOutcomes(IReadOnlyList<PendingChunk> chunks, IReadOnlyList<ChunkOutcome> outcomes)
    {
        if (outcomes.Count != chunks.Count)
            throw new InvalidOperationException($"{outcomes.Count} outcomes were given for {chunks.Count} chunks.");
        for (var i = 0; i < chunks.Count; i++)
        {
            if (outcomes[i].Outcomes.Length != chunks[i].Chunk.RecordCount)
            {
                throw new InvalidOperationException(
                    $"Chunk {chunks[i].Chunk.Index} of job {chunks[i].Job.Id} has {chunks[i].Chunk.RecordCount} records, but {outcomes[i].Outcomes.Length} outcomes were given.");
            }

            if (outcomes[i].Failure is not null && i + 1 < chunks.Count && chunks[i + 1].Job.Id == chunks[i].Job.Id)
                throw new InvalidOperationException($"Job {chunks[i].Job.Id} was to end with chunk {chunks[i].Chunk.Index}, but a later one was applied.");
        }
    }

    private sealed record AppliedChunk(PendingChunk Pending, ChunkOutcome Outcome)
    {
        internal Guid JobId => Pending.Job.Id;

        internal int Index => Pending.Chunk.Index;
    }

    /// <summary>A job, and how far some consecutive chunks bring it.</summary>
    private sealed class MovedJob(IGrouping<Guid, PendingChunk> chunks)
    {
        internal ApiJob Job { get; } = chunks.First().Job;

        internal int FirstChunk { get; } = chunks.First().Chunk.Index;

        internal int NextChunk { get; } = chunks.Last().Chunk.Index + 1;

        internal JobAdvance Advance { get; } = AdvanceOf(chunks.First().Job, chunks.Last());

        internal void Add(ChunkOutcome outcome)
        {
            Advance.Failure = outcome.Failure;
            Advance.Ends |= outcome.Failure is not null;
            Advance.Counts += outcome.Counts;
            Advance.MessageEntries += outcome.MessageEntryCount;
            Advance.MessageBytes += outcome.MessageBytes;
        }

        private static JobAdvance AdvanceOf(ApiJob job, PendingChunk last) =>
            new(job.Id, job.Position, new(job.TotalRecords, job.TotalBytes)) { Ends = last.IsLast, HadFailed = job.Counts.Failed > 0 };
    }
}
