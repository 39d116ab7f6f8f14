using System.Data;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Resources;
using ApiJobs.Storage;
using DbUp;
using DbUp.Builder;
using DbUp.Engine;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ApiJobs.PostgreSql.Schema;

/// <summary>Brings the database to the schema this program knows: the store's own tables by numbered scripts, the resources' from their declarations.</summary>
internal sealed class PostgreSqlUpgrade(ConnectionPool connections, ResourceCatalog resources, RowSecurity rowSecurity, ILogger logger)
{
    private const int OldestServer = 15;

    // An arbitrary number that all nodes share.
    private const long LockKey = 0x4170694A6F6273;

    // A change of a table waits for whoever uses it, and everybody else waits behind it: so it waits a little, and comes again.
    private const string LockTimeout = "2s";
    private const int Tries = 60;
    private static readonly TimeSpan PauseBetweenTries = TimeSpan.FromSeconds(2);

    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await TryAsync(cancellationToken);
                return;
            }
            catch (Exception exception) when (IsLock(exception) && attempt < Tries)
            {
                logger.LogWarning(
                    "The schema cannot be upgraded while a table of it is in use; trying again in {Pause} ({Attempt} of {Tries}).",
                    PauseBetweenTries, attempt, Tries);
                // The pace is the real database's; a clock that a test steers has no part in it.
                await Task.Delay(PauseBetweenTries, TimeProvider.System, cancellationToken);
            }
            catch (Exception exception) when (PostgreSqlFaults.Classify(exception) == StoreFault.Transient && exception is not StoreUnavailableException)
            {
                throw PostgreSqlFaults.Unavailable(exception);
            }
        }
    }

    private async Task TryAsync(CancellationToken cancellationToken)
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        if (connection.PostgreSqlVersion.Major < OldestServer)
            throw new NotSupportedException($"The server is PostgreSQL {connection.PostgreSqlVersion}; ApiJobs needs {OldestServer} or newer. Upgrade the server.");
        await CheckEncodingAsync(connection, cancellationToken);

        // Nodes that start together take turns. The lock is the transaction's, so it ends with it whatever happens,
        // and a pooler in transaction mode cannot separate the two.
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
        await using (var batch = new NpgsqlBatch(connection, transaction) { Timeout = 0 })
        {
            batch.BatchCommands.Add(Sql.Statement(
                "SELECT set_config('idle_in_transaction_session_timeout', '0', true), set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true)"));
            batch.BatchCommands.Add(Sql.Statement("SELECT pg_advisory_xact_lock($1)", Sql.Value(LockKey)));
            batch.BatchCommands.Add(Sql.Statement($"SELECT set_config('lock_timeout', '{LockTimeout}', true)"));
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }

        await Task.Run(() => RunScripts(connection), cancellationToken);
        await ResourceSchema.ApplyAsync(connection, resources, cancellationToken);
        await rowSecurity.ApplyAsync(connection, cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
    }

    private static async Task CheckEncodingAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT current_setting('server_encoding')", connection);
        if ((string?)await command.ExecuteScalarAsync(cancellationToken) is var encoding and not "UTF8")
        {
            throw new NotSupportedException(
                $"The database's encoding is {encoding}; records may hold any character, so ApiJobs needs UTF8. Make it anew: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0");
        }
    }

    private static bool IsLock(Exception exception) =>
        exception is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected }
        || (exception.InnerException is { } cause && IsLock(cause));

    private void RunScripts(NpgsqlConnection connection)
    {
        var upgrade = Configure(connection).Build();
        var unknown = upgrade.GetExecutedScripts().Except(upgrade.GetDiscoveredScripts().Select(script => script.Name)).ToList();
        if (unknown.Count > 0)
        {
            throw new SchemaTooNewException(
                $"The database was upgraded by a newer program (its scripts {string.Join(", ", unknown)} are unknown here). Run that program, or a newer one.");
        }

        var result = upgrade.PerformUpgrade();
        if (!result.Successful)
            throw new InvalidOperationException($"The script {result.ErrorScript?.Name} failed; nothing of it remains. {result.Error.Message}", result.Error);
    }

    private UpgradeEngineBuilder Configure(NpgsqlConnection connection) => DeployChanges.To
        .PostgresqlDatabase(new UpgradeConnection(connection))
        .JournalToPostgresqlTable(null, OwnTables.Journal)
        .WithScripts(Scripts())
        .WithVariablesDisabled()
        // The scripts are in the transaction that holds the lock, and so all or none of the upgrade remains.
        .WithoutTransaction()
        .LogTo(logger);

    // Named without the assembly's prefix: the names are journaled for ever, and namespaces may move.
    private static IEnumerable<SqlScript> Scripts()
    {
        var assembly = typeof(PostgreSqlUpgrade).Assembly;
        const string prefix = "ApiJobs.PostgreSql.Migrations.";
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            yield return new(resource[prefix.Length..], reader.ReadToEnd());
        }
    }
}
