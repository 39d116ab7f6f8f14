using Microsoft.Data.Sqlite;
using Npgsql;

namespace ApiJobs.Server.Settings;

/// <summary>Where durable state lives. Configuration section <c>Storage</c>.</summary>
internal sealed class StorageSettings
{
    /// <summary><c>Sqlite</c>, one file beside the process, or <c>PostgreSql</c>, shared by any number of nodes.</summary>
    public string Provider { get; set; } = "Sqlite";

    /// <summary>How to reach the database. May be left out for SQLite: <c>Data Source=data/apijobs.db</c>.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>Whether the database is PostgreSQL; else it is SQLite.</summary>
    public bool IsPostgreSql => Provider.Equals("PostgreSql", StringComparison.OrdinalIgnoreCase);

    private bool IsSqlite => Provider.Equals("Sqlite", StringComparison.OrdinalIgnoreCase);

    private static bool NamesFile(SqliteConnectionStringBuilder connection) =>
        connection.Mode != SqliteOpenMode.Memory && connection.DataSource is not ("" or ":memory:") && !connection.DataSource.StartsWith("file:", StringComparison.Ordinal);

    /// <summary>Adds what is wrong to <paramref name="faults"/>, and fills in the default connection string.</summary>
    public void Check(List<string> faults)
    {
        if (!IsSqlite && !IsPostgreSql)
        {
            faults.Add($"Storage:Provider is '{Provider}'. Set it to 'Sqlite' or 'PostgreSql'.");
            return;
        }

        if (string.IsNullOrWhiteSpace(ConnectionString))
        {
            if (IsPostgreSql)
                faults.Add("Storage:ConnectionString is missing. PostgreSql needs one, for example 'Host=localhost;Database=apijobs;Username=apijobs;Password=…'.");
            ConnectionString = "Data Source=data/apijobs.db";
            return;
        }

        try
        {
            // Parsing also refuses the other provider's connection string: its keywords are unknown.
            if (IsPostgreSql)
                _ = new NpgsqlConnectionStringBuilder(ConnectionString);
            else if (!NamesFile(new(ConnectionString)))
                faults.Add("Storage:ConnectionString does not name a file. Use 'Data Source=<path>'.");
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or KeyNotFoundException)
        {
            // The exception's message may quote a password; say only which setting it is.
            faults.Add($"Storage:ConnectionString is not a connection string for {Provider}. Check its keywords, or set Storage:Provider to the database it is for.");
        }
    }
}
