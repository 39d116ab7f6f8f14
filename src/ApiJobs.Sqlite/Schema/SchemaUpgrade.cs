using System.Reflection;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Storage;
using DbUp;
using DbUp.Engine;
using DbUp.Engine.Output;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Sqlite.Schema;

/// <summary>Runs the scripts of <c>Migrations/</c> that a database has not seen yet, in one transaction.</summary>
internal static class SchemaUpgrade
{
    private const string Folder = "ApiJobs.Sqlite.Migrations.";

    /// <summary>The scripts, by the short names under which the journal keeps them.</summary>
    private static readonly SqlScript[] Scripts = [.. ReadScripts(typeof(SchemaUpgrade).Assembly)];

    /// <summary>Upgrades the schema of the job tables.</summary>
    /// <exception cref="SchemaTooNewException">The database has seen scripts that this program does not have.</exception>
    internal static void Run(SqliteSession session, SqliteFile file, ILogger logger)
    {
        ThrowIfTooNew(session);
        var result = DeployChanges.To
            .SqliteDatabase(file.ConnectionString(SqliteOpenMode.ReadWrite))
            .WithScripts(Scripts)
            .JournalToSqliteTable(StoreTables.Journal)
            .WithTransaction()
            .WithVariablesDisabled()
            .LogTo(new UpgradeLog(logger))
            .Build()
            .PerformUpgrade();
        if (!result.Successful)
            throw SqliteFaults.ForCaller(result.Error);
    }

    private static IEnumerable<SqlScript> ReadScripts(Assembly assembly)
    {
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            yield return new(name[Folder.Length..], reader.ReadToEnd());
        }
    }

    private static void ThrowIfTooNew(SqliteSession session)
    {
        using (var exists = session.Use($"SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '{StoreTables.Journal}'"))
        {
            if (!exists.Read())
                return;
        }

        var known = Scripts.Select(script => script.Name).ToHashSet(StringComparer.Ordinal);
        using var seen = session.Use($"SELECT ScriptName FROM {StoreTables.Journal}");
        while (seen.Read())
        {
            if (!known.Contains(seen.Text(0)))
                throw new SchemaTooNewException(
                    $"The database was upgraded by a newer program: this one does not know '{seen.Text(0)}'. Run the newer version, or restore a backup from before the upgrade.");
        }
    }

    private sealed class UpgradeLog(ILogger logger) : IUpgradeLog
    {
        public void LogTrace(string format, params object[] args) => Log(LogLevel.Trace, null, format, args);

        public void LogDebug(string format, params object[] args) => Log(LogLevel.Debug, null, format, args);

        public void LogInformation(string format, params object[] args) => Log(LogLevel.Information, null, format, args);

        public void LogWarning(string format, params object[] args) => Log(LogLevel.Warning, null, format, args);

        public void LogError(string format, params object[] args) => Log(LogLevel.Error, null, format, args);

        public void LogError(Exception ex, string format, params object[] args) => Log(LogLevel.Error, ex, format, args);

        private void Log(LogLevel level, Exception? exception, string format, object[] args) =>
#pragma warning disable CA2254 // DbUp's templates are its own constants.
            logger.Log(level, exception, format, args);
#pragma warning restore CA2254
    }
}
