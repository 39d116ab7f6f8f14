using ApiJobs.Jobs;
using ApiJobs.Storage;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql;

public sealed partial class PostgreSqlStore
{
    // Reading ahead is bounded in chunks and bytes too, not in records alone: the rest is read when these are applied.
    private const int MaxChunksAhead = 500, MaxBytesAhead = 16 << 20;

    // LATERAL with a limit reads no more of a huge job than can be used. The message comes with a job's first chunk only,
    // because it would be the same, and long, in every row.
    private static readonly string ReadAheadSql = $"""
        SELECT {JobRow.Columns},
            CASE WHEN message_entries > 0 AND number_in_job = 1 THEN (
                SELECT string_agg(m.text, '' ORDER BY m.chunk_index)
                FROM job_messages m WHERE m.company_id = $1 AND m.job_id = ahead.id) END,
            chunk_index, first_record, record_count, payload
        FROM (
            SELECT next_chunks.*,
                row_number() OVER in_order AS number,
                row_number() OVER (PARTITION BY position ORDER BY chunk_index) AS number_in_job,
                sum(record_count) OVER in_order AS records,
                sum(octet_length(payload)) OVER in_order AS bytes
            FROM (
                SELECT j.*, c.chunk_index, c.first_record, c.record_count, c.payload
                FROM (
                    SELECT * FROM jobs
                    WHERE company_id = $1 AND lane = $2 AND end_time IS NULL
                      AND position >= CASE WHEN $3 IS NULL THEN (SELECT head_position FROM lanes WHERE company_id = $1 AND lane = $2) ELSE $3 END
                    ORDER BY position
                    LIMIT $6 + 1) j
                CROSS JOIN LATERAL (
                    SELECT chunk_index, first_record, record_count, payload FROM chunks
                    WHERE company_id = $1 AND job_id = j.id
                      AND chunk_index >= CASE WHEN j.position = $3 THEN $4 ELSE j.next_chunk END
                    ORDER BY chunk_index
                    LIMIT $6) c
                ORDER BY j.position, c.chunk_index
                LIMIT $6) next_chunks
            WINDOW in_order AS (ORDER BY position, chunk_index)) ahead
        WHERE number = 1 OR (records <= $5 AND bytes <= {MaxBytesAhead})
        ORDER BY position, chunk_index
        """;

    // The heart of exactly-once: whoever finds the cursor elsewhere, or the job ended, goes away empty-handed. OFFSET keeps
    // the company a column of the join, so that jobs are looked up by key even where statistics know nothing of it.
    private const string MoveCursorsSql = """
        UPDATE jobs j SET next_chunk = c.next_chunk, start_time = COALESCE(j.start_time, $5)
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

    private const string CountSql = """
        UPDATE jobs j SET
            created_count = j.created_count + c.created, updated_count = j.updated_count + c.updated,
            unchanged_count = j.unchanged_count + c.unchanged, failed_count = j.failed_count + c.failed,
            message_entries = j.message_entries + c.entries,
            updated_at = $8, end_time = CASE WHEN c.ends THEN $8 END
        FROM (
            SELECT $1::uuid AS company_id, *
            FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $9::bool[])
                AS c(job_id, created, updated, unchanged, failed, entries, ends)
            OFFSET 0) c
        WHERE j.company_id = c.company_id AND j.id = c.job_id
        """;

    // The head goes to the first job that is not ended, so it passes over those that ended otherwise, and never over
    // one that did not end. Where none is visible, the next position sealed is after the last one of these.
    private const string MoveHeadSql = """
        UPDATE lanes SET head_position = COALESCE(
            (SELECT position FROM jobs j
             WHERE j.company_id = $1 AND j.lane = $2 AND j.position >= lanes.head_position AND j.end_time IS NULL
             ORDER BY position LIMIT 1),
            GREATEST(head_position, $3 + 1))
        WHERE company_id = $1 AND lane = $2
        """;

    /// <inheritdoc/>
    /// <remarks>At most 500 chunks, and at most 16 MiB unless a single chunk is larger, are read at a time.</remarks>
    public Task<IReadOnlyList<PendingChunk>> ReadAheadAsync(
        LaneLease lease, PendingChunk? after, int maxRecords, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return Faults.ServeAsync(Read());

        async Task<IReadOnlyList<PendingChunk>> Read()
        {
            ApiJob? job = null;
            return await ReadAsync(
                lease.CompanyId,
                Sql.Statement(
                    ReadAheadSql, Sql.Value(lease.CompanyId), Sql.Value(lease.Lane), Sql.OrNull(after?.Job.Position),
                    Sql.Value((after?.Chunk.Index ?? 0) + 1), Sql.Value((long)maxRecords), Sql.Value(MaxChunksAhead)),
                row =>
                {
                    if (job?.Id != row.GetGuid(0))
                        job = JobRow.Read(row);
                    const int first = JobRow.ColumnCount + 1;
                    return new PendingChunk(
                        job, new(row.GetInt32(first), row.GetInt64(first + 1), row.GetInt32(first + 2), row.GetFieldValue<byte[]>(first + 3)));
                },
                cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async Task<bool> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, DateTimeOffset startedAt,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        ArgumentNullException.ThrowIfNull(chunks);
        ArgumentNullException.ThrowIfNull(apply);
        if (chunks.Count == 0)
            return true;

        var jobs = chunks.GroupBy(chunk => chunk.Job.Id).Select(job => new JobAdvance(job)).ToArray();
        await using var connection = await Faults.ServeAsync(_connections.OpenAsync(cancellationToken).AsTask());
        await using var transaction = await Faults.ServeAsync(connection.BeginTransactionAsync(cancellationToken).AsTask());

        if (!await Faults.ServeAsync(MoveCursorsAsync(connection, lease.CompanyId, jobs, startedAt, cancellationToken)))
            return false;

        IReadOnlyList<ChunkOutcome> outcomes;
        try
        {
            outcomes = await apply(new ChunkTransaction(connection, transaction, _resources), cancellationToken);
        }
        catch (Exception exception) when (connection.FullState != System.Data.ConnectionState.Open && Classify(exception) != StoreFault.Transient)
        {
            // The connection died under the handler: what the handler made of that is not a record's fault.
            throw Faults.Unavailable(exception);
        }

        CheckOutcomes(chunks, outcomes);
        await Faults.ServeAsync(StoreOutcomesAsync(connection, lease, jobs, chunks, outcomes, cancellationToken));
        cancellationToken.ThrowIfCancellationRequested();
        // Interrupting a commit would only hide whether it happened.
        await Faults.ServeAsync(transaction.CommitAsync(CancellationToken.None));
        return true;
    }

    private async Task<bool> MoveCursorsAsync(
        NpgsqlConnection connection, Guid companyId, JobAdvance[] jobs, DateTimeOffset startedAt, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        // Set for this transaction alone, because a setting of the session would not survive a pooler.
        batch.BatchCommands.Add(Sql.Statement(
            "SELECT set_config('idle_in_transaction_session_timeout', $1, true)",
            Sql.Value(((long)_options.IdleTransactionTimeout.TotalMilliseconds).ToString(System.Globalization.CultureInfo.InvariantCulture))));
        batch.BatchCommands.Add(Sql.Statement(Sql.ByKey));
        _scope.Enter(batch, companyId);
        batch.BatchCommands.Add(Sql.Statement(
            MoveCursorsSql, Sql.Value(companyId), Column(jobs, job => job.Id, NpgsqlDbType.Uuid),
            Column(jobs, job => job.FirstChunk, NpgsqlDbType.Integer), Column(jobs, job => job.NextChunk, NpgsqlDbType.Integer),
            Sql.Value(startedAt)));
        // Of a resource's statements and an operation's own, this store does not know the one right plan.
        batch.BatchCommands.Add(Sql.Statement(Sql.Afresh));
        await _connections.PrepareAsync(batch, cancellationToken);
        return await batch.ExecuteNonQueryAsync(cancellationToken) == jobs.Length;
    }

    private async Task StoreOutcomesAsync(
        NpgsqlConnection connection, LaneLease lease, JobAdvance[] jobs, IReadOnlyList<PendingChunk> chunks,
        IReadOnlyList<ChunkOutcome> outcomes, CancellationToken cancellationToken)
    {
        var applied = chunks.Zip(outcomes, (chunk, outcome) => new AppliedChunk(chunk, outcome)).ToArray();
        var jobById = jobs.ToDictionary(job => job.Id);
        foreach (var chunk in applied)
            jobById[chunk.JobId].Add(chunk.Outcome);

        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Sql.Statement(Sql.ByKey));
        batch.BatchCommands.Add(Sql.Statement(
            StoreResultsSql, Sql.Value(lease.CompanyId), Column(applied, chunk => chunk.JobId, NpgsqlDbType.Uuid),
            Column(applied, chunk => chunk.Index, NpgsqlDbType.Integer),
            Column(applied, chunk => chunk.Outcome.Outcomes, NpgsqlDbType.Bytea),
            Column(applied, chunk => chunk.Outcome.Errors.IsEmpty ? (ReadOnlyMemory<byte>?)null : chunk.Outcome.Errors, NpgsqlDbType.Bytea)));

        var speaking = System.Array.FindAll(applied, chunk => chunk.Outcome.MessageText.Length > 0);
        if (speaking.Length > 0)
        {
            batch.BatchCommands.Add(Sql.Statement(
                StoreMessagesSql, Sql.Value(lease.CompanyId), Column(speaking, chunk => chunk.JobId, NpgsqlDbType.Uuid),
                Column(speaking, chunk => chunk.Index, NpgsqlDbType.Integer),
                Column(speaking, chunk => chunk.Outcome.MessageText, NpgsqlDbType.Text)));
        }

        batch.BatchCommands.Add(Sql.Statement(
            CountSql, Sql.Value(lease.CompanyId), Column(jobs, job => job.Id, NpgsqlDbType.Uuid),
            Column(jobs, job => job.Counts.Created, NpgsqlDbType.Bigint), Column(jobs, job => job.Counts.Updated, NpgsqlDbType.Bigint),
            Column(jobs, job => job.Counts.Unchanged, NpgsqlDbType.Bigint), Column(jobs, job => job.Counts.Failed, NpgsqlDbType.Bigint),
            Column(jobs, job => job.MessageEntries, NpgsqlDbType.Bigint), Sql.Value(_time.GetUtcNow()),
            Column(jobs, job => job.Ends, NpgsqlDbType.Boolean)));

        if (jobs.LastOrDefault(job => job.Ends) is { } lastEnded)
            batch.BatchCommands.Add(Sql.Statement(MoveHeadSql, Sql.Value(lease.CompanyId), Sql.Value(lease.Lane), Sql.Value(lastEnded.Position)));

        await _connections.PrepareAsync(batch, cancellationToken);
        await batch.ExecuteNonQueryAsync(cancellationToken);
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
        }
    }

    private static NpgsqlParameter Column<TRow, T>(TRow[] rows, Func<TRow, T> value, NpgsqlDbType type) =>
        Sql.Array(System.Array.ConvertAll(rows, row => value(row)), type);

    private sealed record AppliedChunk(PendingChunk Pending, ChunkOutcome Outcome)
    {
        internal Guid JobId => Pending.Job.Id;

        internal int Index => Pending.Chunk.Index;
    }

    /// <summary>How far some consecutive chunks bring their job.</summary>
    private sealed class JobAdvance(IGrouping<Guid, PendingChunk> chunks)
    {
        internal Guid Id { get; } = chunks.Key;

        internal long Position { get; } = chunks.First().Job.Position;

        internal int FirstChunk { get; } = chunks.First().Chunk.Index;

        internal int NextChunk { get; } = chunks.Last().Chunk.Index + 1;

        internal bool Ends { get; } = chunks.Last().IsLast;

        internal OutcomeCounts Counts { get; private set; }

        internal long MessageEntries { get; private set; }

        internal void Add(ChunkOutcome outcome)
        {
            Counts += outcome.Counts;
            MessageEntries += outcome.MessageEntryCount;
        }
    }
}
