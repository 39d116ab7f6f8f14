using System.Collections.Concurrent;
using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.PostgreSql.Session;

/// <summary>The one way from the store's parts to the database: opens transactions, confines them to a company, waits for commits, and translates faults.</summary>
internal sealed class StoreSession(ConnectionPool connections, CompanyScope scope)
{
    // READ COMMITTED whatever the database's default: who waited for a lock must see what was committed meanwhile.
    private const string BeginSql = "BEGIN ISOLATION LEVEL READ COMMITTED";
    private const string CommitSql = "COMMIT";

    private const string FlushSql = "SELECT pg_logical_emit_message(true, 'apijobs', '')";

    private const string IsCommittingSql = "SELECT query = 'COMMIT' AND state = 'active' FROM pg_stat_activity WHERE pid = $1";

    private static readonly TimeSpan LastLook = TimeSpan.FromSeconds(5);

    // Commits that do not answer keep a connection each, until the network gives them up.
    private const int MaxUnanswered = 16;

    private readonly ConcurrentDictionary<(TransactionKind Kind, bool IsConfined, bool UsesRole), string> _settings = new();
    private int _unanswered;

    /// <summary>Whether the database itself keeps companies apart.</summary>
    internal CompanyScope Scope => scope;

    /// <summary>What is at the other end; known inside of a call.</summary>
    internal ServerFacts Facts => connections.Facts;

    /// <summary>Takes a connection, runs a call on it, and says <see cref="StoreUnavailableException"/> for a fault of the database's.</summary>
    internal async Task<T> ServeAsync<T>(Func<NpgsqlConnection, Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await connections.OpenAsync(cancellationToken);
            return await call(connection);
        }
        catch (Exception exception) when (PostgreSqlFaults.IsDatabases(exception))
        {
            throw PostgreSqlFaults.Unavailable(exception);
        }
    }

    /// <summary>Runs a select as a transaction of its own, confined to a company unless it is for all of them.</summary>
    /// <remarks>Without BEGIN, as one select is the same at every isolation level.</remarks>
    internal Task<List<T>> ReadAsync<T>(
        Guid? companyId, TransactionKind kind, NpgsqlBatchCommand statement, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        return ServeAsync(Read, cancellationToken);

        async Task<List<T>> Read(NpgsqlConnection connection)
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(Settings(kind, companyId));
            batch.BatchCommands.Add(statement);
            if (kind != TransactionKind.Searching)
                await PrepareAsync(batch, cancellationToken);
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            await reader.NextResultAsync(cancellationToken);
            var rows = new List<T>();
            while (await reader.ReadAsync(cancellationToken))
                rows.Add(read(reader));
            return rows;
        }
    }

    /// <summary>Runs statements as one transaction, confined to a company unless they are for all of them.</summary>
    /// <returns>How many rows they wrote.</returns>
    internal Task<int> ExecuteAsync(
        Guid? companyId, TransactionKind kind, CancellationToken cancellationToken, params NpgsqlBatchCommand[] statements) =>
        ServeAsync(
            async connection =>
            {
                await using var batch = new NpgsqlBatch(connection);
                Begin(batch, kind, companyId);
                foreach (var statement in statements)
                    batch.BatchCommands.Add(statement);
                Commit(batch);
                await PrepareAsync(batch, cancellationToken);
                return await batch.ExecuteNonQueryAsync(cancellationToken);
            },
            cancellationToken);

    /// <summary>Adds what begins a transaction. It gives one result: the transaction's time.</summary>
    internal void Begin(NpgsqlBatch batch, TransactionKind kind, Guid? companyId)
    {
        batch.BatchCommands.Add(Sql.Statement(BeginSql));
        batch.BatchCommands.Add(Settings(kind, companyId));
    }

    /// <summary>Adds what commits a transaction. It gives no result.</summary>
    internal static void Commit(NpgsqlBatch batch) => batch.BatchCommands.Add(Sql.Statement(CommitSql));

    /// <summary>Adds a transaction that waits for the disk, for all that was committed before it. It gives two results.</summary>
    internal void Flush(NpgsqlBatch batch)
    {
        Begin(batch, TransactionKind.Flushing, companyId: null);
        // A transaction that has written nothing would wait for nothing.
        batch.BatchCommands.Add(Sql.Statement(FlushSql));
        Commit(batch);
    }

    /// <summary>The statement in front of a transaction's own. It gives one result: the transaction's time.</summary>
    internal NpgsqlBatchCommand Settings(TransactionKind kind, Guid? companyId)
    {
        var isConfined = companyId is not null && scope.IsOn;
        var text = _settings.GetOrAdd((kind, isConfined, scope.UsesRole), SettingsSql);
        return isConfined ? Sql.Statement(text, Sql.Value(companyId!.Value.ToString())) : Sql.Statement(text);
    }

    /// <summary>Prepares a batch of the store's own statements, if they can be.</summary>
    internal Task PrepareAsync(NpgsqlBatch batch, CancellationToken cancellationToken) => connections.PrepareAsync(batch, cancellationToken);

    /// <summary>Waits for what ends with a commit, and does not cancel it: a commit whose wait for the standby is cancelled is done, but not for good.</summary>
    /// <param name="connection">The connection, which is disposed of here in the end.</param>
    /// <param name="work">Runs it, and reads to the commit's answer; until it is committing it may be cancelled.</param>
    /// <exception cref="StoreUnavailableException">Whether it was committed, or for good, is not known.</exception>
    internal async Task<T> CommitAsync<T>(NpgsqlConnection connection, Func<CancellationToken, Task<T>> work)
    {
        if (Volatile.Read(ref _unanswered) >= MaxUnanswered)
        {
            await connection.DisposeAsync();
            throw new StoreUnavailableException($"PostgreSQL has not answered {MaxUnanswered} commits; nothing more is written until it does.");
        }

        var isReplicated = true;
        // By the routine, because messages are translated.
        connection.Notice += (_, notice) => isReplicated &= notice.Notice.Routine != "SyncRepWaitForLSN";
        var backend = connection.ProcessID;
        // Not disposed of: it has no timer, and the work may outlive this call.
        var cancelling = new CancellationTokenSource();
        var running = RunAsync(connection, work, cancelling.Token);
        try
        {
            var result = await running.WaitAsync(connections.Patience, TimeProvider.System, CancellationToken.None);
            return isReplicated ? result : throw new StoreUnavailableException(
                "PostgreSQL committed without its standby: the wait for it was cancelled. What was written may be lost if the standby takes over.");
        }
        catch (TimeoutException) when (!running.IsCompleted)
        {
            if (await IsCommittingAsync(backend))
            {
                Interlocked.Increment(ref _unanswered);
                _ = running.ContinueWith(
                    answered => Interlocked.Decrement(ref _unanswered) + (answered.Exception is null ? 0 : 1),
                    CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
            else
            {
                // It sends yet, or waits for a lock, or the network is gone. It ends soon, and its memory is the callers' again.
                await cancelling.CancelAsync();
                await Task.WhenAny(running);
            }

            throw new StoreUnavailableException(
                $"PostgreSQL has not answered within {connections.Patience.TotalSeconds:0} s (the connection string's Command Timeout). Whether it was committed is not known.");
        }
    }

    /// <summary>Takes a connection and runs what ends with a commit that waits for the disk.</summary>
    internal async Task<T> ServeCommitAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            var connection = await connections.OpenAsync(cancellationToken);
            return await CommitAsync(connection, untilCommit => work(connection, untilCommit));
        }
        catch (Exception exception) when (PostgreSqlFaults.IsDatabases(exception))
        {
            throw PostgreSqlFaults.Unavailable(exception);
        }
    }

    /// <summary>Takes a connection for what <see cref="CommitAsync"/> is to end.</summary>
    internal ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) => connections.OpenAsync(cancellationToken);

    private static async Task<T> RunAsync<T>(NpgsqlConnection connection, Func<CancellationToken, Task<T>> work, CancellationToken untilCommit)
    {
        await using (connection)
            return await work(untilCommit);
    }

    private async Task<bool> IsCommittingAsync(int backend)
    {
        try
        {
            using var limit = new CancellationTokenSource(LastLook, TimeProvider.System);
            await using var connection = await connections.OpenAsync(limit.Token);
            await using var command = new NpgsqlCommand(IsCommittingSql, connection) { Parameters = { new() { Value = backend } } };
            return await command.ExecuteScalarAsync(limit.Token) is true;
        }
        catch (Exception exception) when (exception is NpgsqlException or OperationCanceledException)
        {
            // The server is away, so nothing that is sent there cancels anything.
            return false;
        }
    }

    private string SettingsSql((TransactionKind Kind, bool IsConfined, bool UsesRole) transaction)
    {
        var (kind, isConfined, usesRole) = transaction;
        var role = usesRole ? $", set_config('role', {CompanyRole.Literal(Facts.Role)}, true)" : "";
        return kind.SettingsSql(Facts.Version, isConfined ? $"set_config('{CompanyScope.Setting}', $1, true){role}" : null);
    }
}
