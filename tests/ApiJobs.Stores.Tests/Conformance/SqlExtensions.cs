using System.Data.Common;
using System.Globalization;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>What the fixtures do to a database behind its store's back.</summary>
internal static class SqlExtensions
{
    internal static async Task<DbDataReader> ReadAsync(this DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteReaderAsync();
    }

    internal static async Task<long> ReadCountAsync(this DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
    }

    internal static async Task RunAsync(this DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }
}
