using System.Data.Common;
using System.Globalization;
using System.Text;
using ApiJobs.Operations;
using ApiJobs.Records;

namespace ApiJobs.Crash.Tests.Nodes;

/// <summary>What was really applied, in the order it was: a table that grows only, without a key that would hide a line written twice.</summary>
internal static class AppliedLog
{
    private const int LinesPerStatement = 500;

    private const string SqliteTable = """
        CREATE TABLE IF NOT EXISTS applied_log (
            line INTEGER PRIMARY KEY, company_id TEXT NOT NULL, job_id TEXT NOT NULL, record_index INTEGER NOT NULL, node TEXT NOT NULL)
        """;

    // The role that chunks are applied under has only what it is granted.
    private const string PostgreSqlTable = """
        CREATE TABLE IF NOT EXISTS applied_log (
            line bigserial PRIMARY KEY, company_id text NOT NULL, job_id text NOT NULL, record_index bigint NOT NULL, node text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT clock_timestamp());
        GRANT INSERT ON applied_log TO PUBLIC;
        GRANT USAGE ON SEQUENCE applied_log_line_seq TO PUBLIC;
        """;

    /// <summary>Makes the table if it is missing.</summary>
    public static async Task CreateAsync(DbConnection connection, bool isPostgreSql, CancellationToken cancellationToken)
    {
        await using var create = connection.CreateCommand();
        create.CommandText = isPostgreSql ? PostgreSqlTable : SqliteTable;
        await create.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Writes a line for each record through the open transaction.</summary>
    public static async Task AppendAsync(
        OperationContext context, string nodeName, IEnumerable<JobRecord> records, CancellationToken cancellationToken)
    {
        foreach (var lines in records.Chunk(LinesPerStatement))
        {
            var sql = new StringBuilder("INSERT INTO applied_log (company_id, job_id, record_index, node) VALUES ");
            foreach (var record in lines)
                sql.Append(CultureInfo.InvariantCulture, $"('{context.CompanyId}','{record.JobId}',{record.Index},'{nodeName}'),");
            sql.Length--;
            await using var insert = context.CreateCommand(sql.ToString());
            await insert.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}
