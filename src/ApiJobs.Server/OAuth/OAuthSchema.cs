using ApiJobs.Server.Settings;
using ApiJobs.Sqlite;
using ApiJobs.Storage;
using DbUp;
using DbUp.Builder;
using DbUp.Engine;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace ApiJobs.Server.OAuth;

/// <summary>Makes and upgrades the OAuth tables by numbered SQL scripts, run by DbUp like those of the job stores.</summary>
/// <remarks>
/// Not EF Core's migrations: they want a design-time tool and one set for each provider for what are five tables, and
/// EnsureCreated does nothing in a database that already has the jobs' tables.
/// </remarks>
internal static class OAuthSchema
{
    private const string Journal = "oauth_schema_versions";

    // Any constant that nothing else in the database locks.
    private const long UpgradeLock = 0x61706A_6F61757468;

    /// <summary>Runs the scripts that the database has not seen yet, all or none. Several nodes may call it at once.</summary>
    /// <exception cref="SchemaTooNewException">The database has seen scripts that this program does not know.</exception>
    public static void Upgrade(StorageSettings storage)
    {
        if (storage.IsPostgreSql)
            UpgradePostgreSql(storage.ConnectionString!);
        else
            UpgradeSqlite(storage.ConnectionString!);
    }

    private static void UpgradeSqlite(string connectionString)
    {
        PrivateFile.MakeIfMissing(new SqliteConnectionStringBuilder(connectionString).DataSource);

        // As the job store has it: readers never wait for the writer. Changing it later would need the file for oneself.
        using (var connection = new SqliteConnection(connectionString))
        {
            connection.Open();
            using var setMode = new SqliteCommand("PRAGMA journal_mode = WAL", connection);
            setMode.ExecuteNonQuery();
        }

        // DbUp reads its journal inside the one transaction, which SQLite begins as the only writer.
        Run(DeployChanges.To.SqliteDatabase(connectionString).JournalToSqliteTable(Journal), "Sqlite");
    }

    private static void UpgradePostgreSql(string connectionString)
    {
        using var connection = new NpgsqlConnection(connectionString);
        connection.Open();
        using var transaction = connection.BeginTransaction();
        using var takeLock = new NpgsqlCommand("SELECT pg_advisory_xact_lock($1)", connection, transaction) { Parameters = { new() { Value = UpgradeLock } } };
        takeLock.ExecuteNonQuery();
        Run(DeployChanges.To.PostgresqlDatabase(connectionString).JournalToPostgresqlTable(null, Journal), "PostgreSql");
    }

    private static void Run(UpgradeEngineBuilder builder, string folder)
    {
        var upgrade = builder
            .WithScripts(Scripts(folder))
            .WithTransaction()
            .WithVariablesDisabled()
            .LogToNowhere()
            .Build();

        if (upgrade.GetExecutedButNotDiscoveredScripts() is { Count: > 0 } unknown)
            throw new SchemaTooNewException($"The OAuth tables were upgraded by a newer program ('{unknown[^1]}'). Run that program's version, or a newer one.");
        var result = upgrade.PerformUpgrade();
        if (!result.Successful)
            throw new InvalidOperationException($"The OAuth tables could not be upgraded: {result.Error.Message}", result.Error);
    }

    // Named as the stores' scripts are, without the assembly's prefix: the names are journaled for ever, and namespaces may move.
    private static IEnumerable<SqlScript> Scripts(string folder)
    {
        var assembly = typeof(OAuthSchema).Assembly;
        var prefix = $"{typeof(OAuthSchema).Namespace}.Migrations.{folder}.";
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            yield return new(resource[prefix.Length..], reader.ReadToEnd());
        }
    }
}
