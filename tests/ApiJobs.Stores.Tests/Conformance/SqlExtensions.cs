using System.Data.Common;
using System.Globalization;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>What the fixtures do to a database behind its store's back.</summary>
internal static class SqlExtensions
{
    /// <summary>Counts the rows of the tables that <paramref name="namesSql"/> names.</summary>
    internal static async Task<IReadOnlyDictionary<string, long>> CountRowsAsync(this DbConnection connection, string namesSql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = namesSql;
        var tables = new List<string>();
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                tables.Add(reader.GetString(0));
        }

        var counts = new Dictionary<string, long>();
        foreach (var table in tables)
        {
            command.CommandText = $"SELECT count(*) FROM \"{table}\"";
            counts.Add(table, Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture));
        }

        return counts;
    }

    internal static async Task RunAsync(this DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }
}
