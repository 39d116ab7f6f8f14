using ApiJobs.Benchmarks.Databases;
using Microsoft.Data.Sqlite;

namespace ApiJobs.Benchmarks.Floors;

/// <summary>One prepared UPDATE, bound and run for every row.</summary>
internal static class SqliteLoop
{
    // The cache is as large as the store's own.
    private const string Settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA journal_size_limit = 67108864";

    public static void Update(SqliteDatabase database, Guid companyId, IReadOnlyList<(Guid Id, string Notes)> rows)
    {
        using var connection = new SqliteConnection($"Data Source={database.Path};Pooling=False;Foreign Keys=False");
        connection.Open();
        using (var settings = new SqliteCommand(Settings, connection))
            settings.ExecuteNonQuery();

        using var update = new SqliteCommand("UPDATE customer_case SET updated_at = $now, notes = $notes WHERE company_id = $company AND id = $id", connection);
        var now = update.Parameters.Add("$now", SqliteType.Integer);
        var notes = update.Parameters.Add("$notes", SqliteType.Text);
        update.Parameters.AddWithValue("$company", companyId.ToByteArray(bigEndian: true));
        var id = update.Parameters.Add("$id", SqliteType.Blob);
        update.Prepare();

        for (var first = 0; first < rows.Count; first += RawLoop.RowsPerTransaction)
        {
            using var transaction = connection.BeginTransaction(deferred: false);
            update.Transaction = transaction;
            now.Value = (TimeProvider.System.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
            for (var row = first; row < Math.Min(first + RawLoop.RowsPerTransaction, rows.Count); row++)
            {
                id.Value = rows[row].Id.ToByteArray(bigEndian: true);
                notes.Value = rows[row].Notes;
                if (update.ExecuteNonQuery() != 1)
                    throw new InvalidOperationException($"The raw loop found no case {rows[row].Id}.");
            }

            transaction.Commit();
        }
    }
}
