using System.Text;
using ApiJobs.PostgreSql.Applying;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Storage;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql.Lanes;

/// <summary>Claims lanes, renews the leases on them and gives them back.</summary>
internal sealed class LaneClaims(StoreSession session, WorkSignal signal, TimeProvider time)
{
    private const int FaultBytes = 1_024;

    // A pause after a fault is never longer, so that one further ahead can only mean that the database's clock was set back.
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    private const string IsPauseOver = "(not_before <= now() OR (faults > 0 AND not_before > now() + interval '1 hour'))";

    private const string IsClaimable =
        "has_work AND not_before IS NULL AND (lease_until IS NULL OR lease_until < now())";

    // What is put back takes its turn with the others, by when it was served last.
    private const string EndPausesSql = $"""
        UPDATE lanes SET not_before = NULL
        WHERE (company_id, lane) IN (
            SELECT company_id, lane FROM lanes
            WHERE not_before IS NOT NULL AND {IsPauseOver}
            ORDER BY not_before
            LIMIT 100
            FOR UPDATE SKIP LOCKED)
        """;

    // Lanes that were claimed in the future, because the clock was set back since, would not have their turn until then, nor would
    // their leases end. A holder that lives renews the lease by its token.
    private const string EndFutureTurnsSql = """
        UPDATE lanes SET served_at = now(), lease_until = NULL
        WHERE (company_id, lane) IN (
            SELECT company_id, lane FROM lanes
            WHERE has_work AND not_before IS NULL AND served_at > now() + interval '1 minute'
            ORDER BY served_at
            LIMIT 100
            FOR UPDATE SKIP LOCKED)
        """;

    // Scans lanes of all companies, through the partial index of lanes with work, from where this node left off: what lies
    // before are mostly the dead entries of lanes that were served since, and while a long snapshot is open nothing removes
    // them. The row is found again by its place, because the primary key has the same dead entries.
    internal const string ClaimSql = $"""
        WITH next AS (
            SELECT ctid AS place, served_at, CASE WHEN lease_until IS NOT NULL THEN leased_by END AS taken_from FROM lanes
            WHERE {IsClaimable} AND served_at >= $4
            ORDER BY served_at
            LIMIT 1
            FOR UPDATE SKIP LOCKED)
        UPDATE lanes l SET lease_token = $1, lease_until = now() + $2, leased_by = $3, served_at = now()
        FROM next
        WHERE l.ctid = next.place
        RETURNING l.company_id, l.lane, l.faults, next.served_at, next.taken_from
        """;

    private const string IsLaneWaitingSql = $"""
        SELECT (SELECT true FROM lanes WHERE {IsClaimable} AND served_at >= $1 ORDER BY served_at LIMIT 1) IS NOT NULL
            OR (SELECT true FROM lanes WHERE not_before IS NOT NULL AND {IsPauseOver} LIMIT 1) IS NOT NULL
        """;

    private const string RenewSql = """
        UPDATE lanes SET lease_until = now() + $4
        WHERE company_id = $1 AND lane = $2 AND lease_token = $3
        """;

    // Not EXISTS, which the planner may turn into a join that reads every job.
    private const string HasUnfinishedJob = """
        COALESCE((
            SELECT true FROM jobs j
            WHERE j.company_id = $1 AND j.lane = $2 AND j.position >= l.head_position AND j.end_time IS NULL
            ORDER BY j.position LIMIT 1), false)
        """;

    // What a lane did not use of its turn brings its next one nearer, within the round. Where that is short it is left: an entry of
    // the claim's index is not moved to save milliseconds.
    private const string ServedAt = """
        CASE WHEN isfinite($4) AND $4 < l.served_at - interval '50 milliseconds' AND $5 < 0.5 THEN $4 + $5 * (l.served_at - $4) ELSE l.served_at END
        """;

    private const string ReleaseWithWorkSql = $"""
        UPDATE lanes l SET lease_token = NULL, lease_until = NULL, leased_by = NULL, faults = 0, fault = NULL, served_at = {ServedAt}
        WHERE company_id = $1 AND lane = $2 AND lease_token = $3 AND {HasUnfinishedJob}
        """;

    private const string ReleaseIllSql = """
        UPDATE lanes SET
            lease_token = NULL, lease_until = NULL, leased_by = NULL,
            not_before = now() + $4, faults = faults + 1, fault = $5
        WHERE company_id = $1 AND lane = $2 AND lease_token = $3
        """;

    // Sealing locks the same row before it looks at has_work, so nothing can be sealed between the comparison and the clearing.
    private const string LockTailSql = "SELECT 1 FROM lane_tails WHERE company_id = $1 AND lane = $2 FOR UPDATE";

    // A second statement, because one that waited for the lock would still see the jobs as of before it waited. Of an empty
    // lane nothing waits: so what nodes of an older version have not counted, beside which this one ran, is put right.
    private const string ReleaseSql = $"""
        UPDATE lanes l SET
            lease_token = NULL, lease_until = NULL, leased_by = NULL, faults = 0, fault = NULL, served_at = {ServedAt},
            has_work = {HasUnfinishedJob},
            head_position = CASE WHEN {HasUnfinishedJob} THEN l.head_position ELSE t.next_position END,
            ended_records = CASE WHEN {HasUnfinishedJob} THEN l.ended_records ELSE t.sealed_records END,
            ended_bytes = CASE WHEN {HasUnfinishedJob} THEN l.ended_bytes ELSE t.sealed_bytes END
        FROM lane_tails t
        WHERE l.company_id = $1 AND l.lane = $2 AND l.lease_token = $3 AND t.company_id = $1 AND t.lane = $2
        """;

    private readonly ClaimFloor _floor = new(signal);

    internal async Task<LaneLease?> ClaimAsync(string node, TimeSpan leaseFor, CancellationToken cancellationToken)
    {
        if (_floor.Find() is { } floor && await TryClaimAsync(node, leaseFor, floor, cancellationToken) is { } lease)
            return lease;
        _floor.LookedFromTheFront(signal.Pulses);
        return await TryClaimAsync(node, leaseFor, floor: null, cancellationToken);
    }

    internal async Task<bool> IsWaitingAsync(CancellationToken cancellationToken) =>
        (_floor.Find() is { } floor && await IsWaitingAsync(floor, cancellationToken)) || await IsWaitingAsync(floor: null, cancellationToken);

    private Task<bool> IsWaitingAsync(DateTime? floor, CancellationToken cancellationToken) => session.ServeAsync(
        async connection =>
        {
            await using var batch = new NpgsqlBatch(connection)
            {
                BatchCommands =
                {
                    session.Settings(TransactionKind.Leasing, companyId: null), Sql.Statement(IsLaneWaitingSql, FloorValue(floor)),
                },
            };
            await session.PrepareAsync(batch, cancellationToken);
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            await reader.NextResultAsync(cancellationToken);
            return await reader.ReadAsync(cancellationToken) && reader.GetBoolean(0);
        },
        cancellationToken);

    internal async Task<bool> RenewAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken) =>
        await RunAsync(lease, cancellationToken, OnLease(lease, RenewSql, Sql.Value(leaseFor))) > 0;

    internal async Task ReleaseAsync(LaneLease lease, LaneFault? fault, CancellationToken cancellationToken)
    {
        if (fault is not null)
        {
            await RunAsync(
                lease, cancellationToken,
                // The log first: who applies a job locks it before its lane, too.
                [.. fault.Log is { } entry ? [LogStatements.AddToFirst(lease, entry)] : Array.Empty<NpgsqlBatchCommand>(),
                OnLease(lease, ReleaseIllSql, Sql.Value(fault.Pause > LongestPause ? LongestPause : fault.Pause), Sql.Value(FirstKilobyte(fault.Message)))]);
            return;
        }

        NpgsqlParameter[] turn = [FloorValue(_floor.Front), Sql.Value(lease.TurnUsed)];
        // Most releases hand on a lane with work: they must not wait for whoever is sealing into it.
        if (await RunAsync(lease, cancellationToken, OnLease(lease, ReleaseWithWorkSql, turn)) > 0)
            return;
        await RunAsync(
            lease, cancellationToken,
            Sql.Statement(LockTailSql, Sql.Value(lease.CompanyId), Sql.Value(lease.Lane)), OnLease(lease, ReleaseSql, [FloorValue(_floor.Front), Sql.Value(lease.TurnUsed)]));
    }

    private Task<LaneLease?> TryClaimAsync(string node, TimeSpan leaseFor, DateTime? floor, CancellationToken cancellationToken) => session.ServeAsync(
        async connection =>
        {
            var token = Guid.CreateVersion7(time.GetUtcNow());
            await using var batch = new NpgsqlBatch(connection);
            session.Begin(batch, TransactionKind.Leasing, companyId: null);
            if (floor is null)
            {
                batch.BatchCommands.Add(Sql.Statement(EndPausesSql));
                batch.BatchCommands.Add(Sql.Statement(EndFutureTurnsSql));
            }

            batch.BatchCommands.Add(Sql.Statement(ClaimSql, Sql.Value(token), Sql.Value(leaseFor), Sql.Value(node), FloorValue(floor)));
            StoreSession.Commit(batch);
            await session.PrepareAsync(batch, cancellationToken);
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            await reader.NextResultAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken))
                return null;
            var lease = new LaneLease(reader.GetGuid(0), reader.GetString(1), token, reader.GetInt32(2))
            {
                TakenFrom = reader.IsDBNull(4) ? null : reader.GetString(4),
            };
            var servedAt = reader.GetDateTime(3);
            // The claim holds when its commit has answered.
            while (await reader.NextResultAsync(cancellationToken)) { }
            _floor.Claimed(servedAt);
            return lease;
        },
        cancellationToken);

    private Task<int> RunAsync(LaneLease lease, CancellationToken cancellationToken, params NpgsqlBatchCommand[] statements) =>
        session.ExecuteAsync(lease.CompanyId, TransactionKind.Leasing, cancellationToken, statements);

    private static NpgsqlBatchCommand OnLease(LaneLease lease, string sql, params ReadOnlySpan<NpgsqlParameter> more) =>
        Sql.Statement(sql, [Sql.Value(lease.CompanyId), Sql.Value(lease.Lane), Sql.Value(lease.Token), .. more]);

    // The smallest time is the database's -infinity.
    private static NpgsqlParameter<DateTime> FloorValue(DateTime? floor) =>
        new() { TypedValue = floor ?? DateTime.MinValue, NpgsqlDbType = NpgsqlDbType.TimestampTz };

    /// <summary>What of a message fits a kilobyte, in whole characters that the database takes.</summary>
    private static string FirstKilobyte(string message)
    {
        // Halves of surrogate pairs become U+FFFD here, and so does what PostgreSQL refuses in texts.
        var bytes = Encoding.UTF8.GetBytes(message.Replace('\0', '\uFFFD'));
        var length = Math.Min(bytes.Length, FaultBytes);
        while (length < bytes.Length && (bytes[length] & 0xC0) == 0x80)
            length--;
        return Encoding.UTF8.GetString(bytes, 0, length);
    }
}
