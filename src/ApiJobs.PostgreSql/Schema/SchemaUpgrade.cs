using ApiJobs.PostgreSql.Isolation;
using ApiJobs.Resources;
using ApiJobs.Storage;
using DbUp;
using DbUp.Builder;
using DbUp.Engine;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ApiJobs.PostgreSql.Schema;

/// <summary>Brings the database to the schema this program knows: the store's own tables by numbered scripts, the resources' from their declarations.</summary>
internal sealed class SchemaUpgrade(ConnectionPool connections, ResourceCatalog resources, RowSecurity rowSecurity, ILogger logger)
{
    private const string Journal = "schema_versions";

    private const int OldestServer = 15;

    // An arbitrary number that all nodes share.
    private const long LockKey = 0x4170694A6F6273;

    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        if (connection.PostgreSqlVersion.Major < OldestServer)
            throw new NotSupportedException($"The server is PostgreSQL {connection.PostgreSqlVersion}; ApiJobs needs {OldestServer} or newer. Upgrade the server.");

        // Nodes that start together take turns. The lock is the transaction's, so it ends with it whatever happens,
        // and a pooler in transaction mode cannot separate the two.
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var batch = new NpgsqlBatch(connection, transaction))
        {
            batch.BatchCommands.Add(Sql.Statement("SELECT set_config('idle_in_transaction_session_timeout', '0', true)"));
            batch.BatchCommands.Add(Sql.Statement("SELECT pg_advisory_xact_lock($1)", Sql.Value(LockKey)));
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }

        await Task.Run(() => RunScripts(connection), cancellationToken);
        await ResourceSchema.ApplyAsync(connection, resources, cancellationToken);
        await rowSecurity.ApplyAsync(connection, cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
    }

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
        .JournalToPostgresqlTable(null, Journal)
        .WithScripts(Scripts())
        .WithVariablesDisabled()
        // The scripts are in the transaction that holds the lock, and so all or none of the upgrade remains.
        .WithoutTransaction()
        .LogTo(logger);

    // Named without the assembly's prefix: the names are journaled for ever, and namespaces may move.
    private static IEnumerable<SqlScript> Scripts()
    {
        var assembly = typeof(SchemaUpgrade).Assembly;
        const string prefix = "ApiJobs.PostgreSql.Migrations.";
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            yield return new(resource[prefix.Length..], reader.ReadToEnd());
        }
    }
}
