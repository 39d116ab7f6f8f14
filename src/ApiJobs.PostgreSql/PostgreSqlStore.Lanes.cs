using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.PostgreSql;

public sealed partial class PostgreSqlStore
{
    // A lease that a crash of the database forgets costs nothing but a second claim, so its commits wait for no disk.
    private const string WithoutWaitingForDisk = "SELECT set_config('synchronous_commit', 'off', true)";

    private const string IsClaimable = "has_work AND (lease_until IS NULL OR lease_until < clock_timestamp())";

    // Scans lanes of all companies, through the partial index of lanes with work.
    internal const string ClaimSql = $"""
        UPDATE lanes SET lease_token = $1, lease_until = clock_timestamp() + $2
        WHERE (company_id, lane) = (
            SELECT company_id, lane FROM lanes
            WHERE {IsClaimable}
            ORDER BY served_at
            LIMIT 1
            FOR UPDATE SKIP LOCKED)
        RETURNING company_id, lane
        """;

    private const string IsLaneWaitingSql = $"SELECT EXISTS (SELECT FROM lanes WHERE {IsClaimable})";

    private const string RenewSql = """
        UPDATE lanes SET lease_until = clock_timestamp() + $4
        WHERE company_id = $1 AND lane = $2 AND lease_token = $3
        """;

    // Not EXISTS, which the planner may turn into a join that reads every job.
    private const string HasUnfinishedJob = """
        COALESCE((
            SELECT true FROM jobs j
            WHERE j.company_id = l.company_id AND j.lane = l.lane AND j.position >= l.head_position AND j.end_time IS NULL
            ORDER BY j.position LIMIT 1), false)
        """;

    private const string ReleaseWithWorkSql = $"""
        UPDATE lanes l SET lease_token = NULL, lease_until = NULL, served_at = clock_timestamp()
        WHERE company_id = $1 AND lane = $2 AND lease_token = $3 AND {HasUnfinishedJob}
        """;

    // Sealing locks the same row before it looks at has_work, so nothing can be sealed between the comparison and the clearing.
    private const string LockTailSql = "SELECT 1 FROM lane_tails WHERE company_id = $1 AND lane = $2 FOR UPDATE";

    // A second statement, because one that waited for the lock would still see the jobs as of before it waited.
    private const string ReleaseSql = $"""
        UPDATE lanes l SET
            lease_token = NULL, lease_until = NULL, served_at = clock_timestamp(),
            has_work = {HasUnfinishedJob},
            head_position = CASE WHEN {HasUnfinishedJob} THEN l.head_position ELSE t.next_position END
        FROM lane_tails t
        WHERE l.company_id = $1 AND l.lane = $2 AND l.lease_token = $3 AND t.company_id = $1 AND t.lane = $2
        """;

    /// <inheritdoc/>
    public Task<LaneLease?> ClaimLaneAsync(TimeSpan leaseFor, CancellationToken cancellationToken)
    {
        return Faults.ServeAsync(Claim());

        async Task<LaneLease?> Claim()
        {
            var token = Guid.CreateVersion7(_time.GetUtcNow());
            await using var connection = await _connections.OpenAsync(cancellationToken);
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(Sql.Statement(WithoutWaitingForDisk));
            batch.BatchCommands.Add(Sql.Statement(Sql.ByKey));
            batch.BatchCommands.Add(Sql.Statement(ClaimSql, Sql.Value(token), Sql.Value(leaseFor)));
            await _connections.PrepareAsync(batch, cancellationToken);
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            await reader.NextResultAsync(cancellationToken);
            await reader.NextResultAsync(cancellationToken);
            return await reader.ReadAsync(cancellationToken) ? new(reader.GetGuid(0), reader.GetString(1), token) : null;
        }
    }

    /// <inheritdoc/>
    public Task<bool> RenewLeaseAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return Faults.ServeAsync(Renew());

        async Task<bool> Renew() =>
            await ExecuteAsync(
                lease.CompanyId, cancellationToken, Sql.Statement(WithoutWaitingForDisk),
                Sql.Statement(RenewSql, Sql.Value(lease.CompanyId), Sql.Value(lease.Lane), Sql.Value(lease.Token), Sql.Value(leaseFor))) > 0;
    }

    /// <inheritdoc/>
    public Task ReleaseLaneAsync(LaneLease lease, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return Faults.ServeAsync(Release());

        async Task Release()
        {
            // Most releases hand on a lane with work: they must not wait for whoever is sealing into it.
            if (await ExecuteAsync(lease.CompanyId, cancellationToken, Sql.Statement(WithoutWaitingForDisk), OnLease(ReleaseWithWorkSql)) > 0)
                return;
            await ExecuteAsync(
                lease.CompanyId, cancellationToken, Sql.Statement(WithoutWaitingForDisk),
                Sql.Statement(LockTailSql, Sql.Value(lease.CompanyId), Sql.Value(lease.Lane)), OnLease(ReleaseSql));
        }

        NpgsqlBatchCommand OnLease(string sql) =>
            Sql.Statement(sql, Sql.Value(lease.CompanyId), Sql.Value(lease.Lane), Sql.Value(lease.Token));
    }

    /// <inheritdoc/>
    public Task<bool> IsLaneWaitingAsync(CancellationToken cancellationToken)
    {
        return Faults.ServeAsync(Ask());

        async Task<bool> Ask()
        {
            await using var connection = await _connections.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand(IsLaneWaitingSql, connection);
            return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
        }
    }

    /// <inheritdoc/>
    public Task WaitForWorkAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        // Nodes that only accept never wait for work, so they never open the listening connection.
        if (_options.Listen)
            _listener.Start();
        return _workSignal.WaitAsync(atMost, cancellationToken);
    }
}
