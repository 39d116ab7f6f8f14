using ApiJobs.PostgreSql.Accepting;
using ApiJobs.PostgreSql.Schema;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.PostgreSql.Keeping;

/// <summary>What the process needs of the store: its schema, its health, and removing what nobody needs any longer.</summary>
internal sealed class PostgreSqlUpkeep(
    StoreSession session, PostgreSqlUpgrade upgrade, UploadRemoval uploads, EndedJobRetention retention, RehearsalRemoval rehearsals) : IUpkeep
{
    private const string PingSql = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'";

    // From one company to the next, over the lanes of each: a company may have as many as it likes.
    private const string ReadCompaniesSql = """
        WITH RECURSIVE companies AS (
            (SELECT company_id, 1 AS number FROM lanes WHERE company_id > $1 ORDER BY company_id LIMIT 1)
            UNION ALL
            SELECT (SELECT l.company_id FROM lanes l WHERE l.company_id > c.company_id ORDER BY l.company_id LIMIT 1), number + 1
            FROM companies c WHERE c.company_id IS NOT NULL AND number < $2)
        SELECT company_id FROM companies WHERE company_id IS NOT NULL ORDER BY company_id
        """;

    public Task InitializeAsync(CancellationToken cancellationToken) => upgrade.RunAsync(cancellationToken);

    public async Task PingAsync(CancellationToken cancellationToken)
    {
        var (isStandby, isReadOnly) = await session.ServeAsync(AskAsync, cancellationToken);
        if (isStandby)
            throw new StoreUnavailableException("PostgreSQL is a standby and takes no writes until it is promoted.");
        if (isReadOnly)
            throw new StoreUnavailableException("PostgreSQL is read-only (default_transaction_read_only). Often the disk is nearly full; make room, and switch it off.");

        async Task<(bool, bool)> AskAsync(NpgsqlConnection connection)
        {
            await using var command = new NpgsqlCommand(PingSql, connection);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            return (reader.GetBoolean(0), reader.GetBoolean(1));
        }
    }

    public Task<int> SweepUploadsAsync(TimeSpan idleFor, CancellationToken cancellationToken) => uploads.SweepAsync(idleFor, cancellationToken);

    public Task<bool> SweepRehearsalsAsync(CancellationToken cancellationToken) => rehearsals.SweepAsync(cancellationToken);

    public async Task<IReadOnlyList<Guid>> ReadCompaniesAsync(Guid? after, int max, CancellationToken cancellationToken) =>
        await session.ReadAsync(
            companyId: null, TransactionKind.Looking,
            Sql.Statement(ReadCompaniesSql, Sql.Value(after ?? Guid.Empty), Sql.Value(max)), row => row.GetGuid(0), cancellationToken);

    public Task<bool> RemoveEndedAsync(Guid companyId, TimeSpan keptFor, EndedPart part, CancellationToken cancellationToken) =>
        retention.RemoveAsync(companyId, keptFor, part, cancellationToken);
}
