using ApiJobs.Jobs;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;
using Microsoft.Data.Sqlite;
using Npgsql;
using SQLitePCL;

namespace ApiJobs.Crash.Tests.Nodes;

/// <summary>Builds with a fault, for proving the checker: each breaks one rule of the protocol, around a sound store.</summary>
internal static class BrokenBuilds
{
    public const string AcknowledgeBeforeCommit = "acknowledge-before-commit", CursorInItsOwnTransaction = "cursor-in-its-own-transaction",
        NoCursorGuard = "no-cursor-guard", LeaseByLocalClock = "lease-by-local-clock", NoWaitForDisk = "no-wait-for-disk";

    /// <summary>Not a fault: leases are never renewed, so two workers often serve one lane. A sound cursor must bear it.</summary>
    public const string CarelessLeases = "careless-leases";

    /// <summary>Breaks a store in the ways named, separated by commas; null and empty leave it sound.</summary>
    public static IWholeStore Break(IWholeStore store, string? breaks, string connectionString)
    {
        foreach (var name in (breaks ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            store = name switch
            {
                AcknowledgeBeforeCommit => new AcknowledgingEarly(store),
                CursorInItsOwnTransaction => new WithCursorApart(store),
                NoCursorGuard => new WithoutGuard(store),
                LeaseByLocalClock => new LeasingByLocalClock(store, connectionString),
                NoWaitForDisk => new NotWaitingForDisk(store),
                CarelessLeases => new NeverRenewing(store),
                _ => throw new ArgumentException($"There is no broken build '{name}'.", nameof(breaks)),
            };
        }

        return store;
    }

    /// <summary>Answers at once, and commits a moment later.</summary>
    private sealed class AcknowledgingEarly(IWholeStore sound) : StoreDecorator(sound)
    {
        private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(30);

        private readonly Lock _gate = new();
        private Task _committed = Task.CompletedTask;

        public override Task<SealResult> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken)
        {
            // One after another, so that the lane's order is still right.
            lock (_gate)
                _committed = SealLateAsync(_committed, job, lastChunk);
            return Task.FromResult<SealResult>(new SealResult.Sealed(new()
            {
                Id = job.Id,
                CompanyId = job.CompanyId,
                Type = job.Type,
                Lane = job.Lane,
                Options = job.Options,
                Position = 1,
                TotalRecords = job.TotalRecords,
                ChunkCount = lastChunk.Index + 1,
                CreatedAt = DateTimeOffset.UnixEpoch,
                UpdatedAt = DateTimeOffset.UnixEpoch,
            }));
        }

        // A client that asks meanwhile waits, as it would for a slow database; only a crash shows the fault.
        public override async Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken)
        {
            Task committed;
            lock (_gate)
                committed = _committed;
            await committed;
            return await base.FindJobAsync(companyId, jobId, cancellationToken);
        }

        private async Task SealLateAsync(Task before, NewJob job, Chunk lastChunk)
        {
            await before;
            await Task.Delay(Late, TimeProvider.System);
            await base.SealJobAsync(job, lastChunk, CancellationToken.None);
        }
    }

    /// <summary>Makes the effects in one transaction, and moves the cursor in the next.</summary>
    private sealed class WithCursorApart(IWholeStore sound) : StoreDecorator(sound)
    {
        private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);

        public override async Task<IReadOnlyList<ApiJob>> ApplyAsync(
            LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken)
        {
            IReadOnlyList<ChunkOutcome> outcomes = [];
            await ApplyApartAsync(
                async (transaction, token) => outcomes = await apply(transaction, token), cancellationToken);
            await Task.Delay(Between, TimeProvider.System, cancellationToken);
            return await base.ApplyAsync(lease, chunks, (_, _) => Task.FromResult(outcomes), cancellationToken);
        }
    }

    /// <summary>Makes the effects again when the cursor says that they were made already.</summary>
    private sealed class WithoutGuard(IWholeStore sound) : StoreDecorator(sound)
    {
        public override async Task<IReadOnlyList<ApiJob>> ApplyAsync(
            LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken)
        {
            if (await base.ApplyAsync(lease, chunks, apply, cancellationToken) is { Count: > 0 } jobs)
                return jobs;
            await ApplyApartAsync(apply, CancellationToken.None);
            return [.. chunks.Select(pending => pending.Job)];
        }
    }

    /// <summary>Writes the end of a lease by the node's own clock, as if the database's were the same.</summary>
    private sealed class LeasingByLocalClock(IWholeStore sound, string connectionString) : StoreDecorator(sound)
    {
        public override async Task<LaneLease?> ClaimLaneAsync(string node, TimeSpan leaseFor, CancellationToken cancellationToken) =>
            await base.ClaimLaneAsync(node, leaseFor + await SkewAsync(cancellationToken), cancellationToken);

        public override async Task<bool> RenewLeaseAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken) =>
            await base.RenewLeaseAsync(lease, leaseFor + await SkewAsync(cancellationToken), cancellationToken);

        private async Task<TimeSpan> SkewAsync(CancellationToken cancellationToken)
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand("SELECT clock_timestamp()", connection);
            var databaseTime = (DateTime)(await command.ExecuteScalarAsync(cancellationToken))!;
            return TimeProvider.System.GetUtcNow().UtcDateTime - databaseTime;
        }
    }

    /// <summary>Commits without waiting for the disk: SQLite's own <c>synchronous=NORMAL</c>, set behind the store's back.</summary>
    private sealed class NotWaitingForDisk(IWholeStore sound) : StoreDecorator(sound)
    {
        private volatile bool _isSet;

        public override async Task<IReadOnlyList<ApiJob>> ApplyAsync(
            LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken)
        {
            sqlite3? writer = null;
            var applied = await base.ApplyAsync(
                lease, chunks,
                (transaction, token) =>
                {
                    writer = ((SqliteConnection)transaction.Connection).Handle;
                    return apply(transaction, token);
                },
                cancellationToken);
            // SQLite refuses in the middle of the next transaction; then one of the next chunks finds a gap.
            if (!_isSet && writer is not null)
                _isSet = raw.sqlite3_exec(writer, "PRAGMA synchronous = NORMAL") == raw.SQLITE_OK;
            return applied;
        }
    }

    private sealed class NeverRenewing(IWholeStore sound) : StoreDecorator(sound)
    {
        public override Task<bool> RenewLeaseAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken) => Task.FromResult(true);
    }
}
