using ApiJobs.Benchmarks.Databases;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.Benchmarks.Floors;

/// <summary>One prepared <c>UPDATE … FROM unnest(…)</c> for every thousand rows.</summary>
internal static class PostgreSqlLoop
{
    private const string UpdateSql = """
        UPDATE customer_case t SET notes = n.notes, updated_at = $4
        FROM unnest($2::uuid[], $3::text[]) AS n(id, notes)
        WHERE t.company_id = $1 AND t.id = n.id
        """;

    public static async Task UpdateAsync(
        PostgreSqlDatabase database, Guid companyId, IReadOnlyList<(Guid Id, string Notes)> rows, CancellationToken cancellationToken)
    {
        await using var connection = (NpgsqlConnection)await database.OpenAsync(cancellationToken);
        var company = new NpgsqlParameter<Guid> { TypedValue = companyId };
        var ids = new NpgsqlParameter<Guid[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid };
        var notes = new NpgsqlParameter<string[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };
        var now = new NpgsqlParameter<DateTime> { NpgsqlDbType = NpgsqlDbType.TimestampTz };
        await using var update = new NpgsqlCommand(UpdateSql, connection) { Parameters = { company, ids, notes, now } };
        await update.PrepareAsync(cancellationToken);

        foreach (var chunk in rows.Chunk(RawLoop.RowsPerTransaction))
        {
            ids.TypedValue = Array.ConvertAll(chunk, row => row.Id);
            notes.TypedValue = Array.ConvertAll(chunk, row => row.Notes);
            now.TypedValue = TimeProvider.System.GetUtcNow().UtcDateTime;
            if (await update.ExecuteNonQueryAsync(cancellationToken) != chunk.Length)
                throw new InvalidOperationException("The raw loop found fewer cases than it should have.");
        }
    }
}
