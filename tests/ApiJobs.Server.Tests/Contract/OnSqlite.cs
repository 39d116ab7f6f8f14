using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>The API on a SQLite file of its own.</summary>
public class SqliteApiServer : ApiServer
{
    private readonly string _folder = Directory.CreateTempSubdirectory("apijobs-").FullName;

    private string ConnectionString => $"Data Source={Path.Combine(_folder, "apijobs.db")}";

    public override async Task<long> CountStoredRowsAsync(Guid companyId)
    {
        await using var connection = new SqliteConnection($"{ConnectionString};Mode=ReadOnly;Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = string.Join(
            " + ", from table in new[] { "jobs", "uploads", "chunks" } select $"(SELECT COUNT(*) FROM {table} WHERE company_id = $company)");
        command.CommandText = $"SELECT {command.CommandText}";
        command.Parameters.AddWithValue("$company", companyId.ToByteArray(bigEndian: true));
        return (long)(await command.ExecuteScalarAsync())!;
    }

    protected override Task AddStoreAsync(IServiceCollection services)
    {
        services.AddSqliteStore(ConnectionString);
        return Task.CompletedTask;
    }

    protected override ValueTask RemoveStoreAsync()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}

/// <summary>The same, with limits that a test can reach.</summary>
public sealed class LimitedSqliteApiServer : SqliteApiServer
{
    protected override IReadOnlyDictionary<string, string?> Settings => LimitContract.Settings;
}

public sealed class LimitsOnSqlite(LimitedSqliteApiServer server) : LimitContract(server), IClassFixture<LimitedSqliteApiServer>;

public sealed class JobsOnSqlite(SqliteApiServer server) : JobContract(server), IClassFixture<SqliteApiServer>;

public sealed class JobListOnSqlite(SqliteApiServer server) : JobListContract(server), IClassFixture<SqliteApiServer>;

public sealed class BulkOnSqlite(SqliteApiServer server) : BulkContract(server), IClassFixture<SqliteApiServer>;

public sealed class BadInputOnSqlite(SqliteApiServer server) : BadInputContract(server), IClassFixture<SqliteApiServer>;

public sealed class CallersOnSqlite(SqliteApiServer server) : CallerContract(server), IClassFixture<SqliteApiServer>;

public sealed class RecordsOnSqlite(SqliteApiServer server) : RecordsContract(server), IClassFixture<SqliteApiServer>;

public sealed class RehearsalsOnSqlite(SqliteApiServer server) : RehearsalContract(server), IClassFixture<SqliteApiServer>;

public sealed class ResourcesOnSqlite(SqliteApiServer server) : ResourceContract(server), IClassFixture<SqliteApiServer>;

public sealed class HangUpsOnSqlite(SqliteApiServer server) : HangUpContract(server), IClassFixture<SqliteApiServer>;

public sealed class ProblemsOnSqlite(SqliteApiServer server) : ProblemContract(server), IClassFixture<SqliteApiServer>;

public sealed class WaitingOnSqlite(SqliteApiServer server) : WaitContract(server), IClassFixture<SqliteApiServer>;

public sealed class EventsOnSqlite(SqliteApiServer server) : EventsContract(server), IClassFixture<SqliteApiServer>;
public sealed class ChangesOnSqlite(SqliteApiServer server) : ChangeContract(server), IClassFixture<SqliteApiServer>;

public sealed class IdempotencyOnSqlite(SqliteApiServer server) : IdempotencyContract(server), IClassFixture<SqliteApiServer>;
