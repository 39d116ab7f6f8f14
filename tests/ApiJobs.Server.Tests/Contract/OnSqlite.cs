using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>The API on a SQLite file of its own.</summary>
public sealed class SqliteApiServer : ApiServer
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

public sealed class JobsOnSqlite(SqliteApiServer server) : JobContract(server), IClassFixture<SqliteApiServer>;

public sealed class BulkOnSqlite(SqliteApiServer server) : BulkContract(server), IClassFixture<SqliteApiServer>;

public sealed class BadInputOnSqlite(SqliteApiServer server) : BadInputContract(server), IClassFixture<SqliteApiServer>;

public sealed class CallersOnSqlite(SqliteApiServer server) : CallerContract(server), IClassFixture<SqliteApiServer>;

public sealed class RecordsOnSqlite(SqliteApiServer server) : RecordsContract(server), IClassFixture<SqliteApiServer>;

public sealed class RehearsalsOnSqlite(SqliteApiServer server) : RehearsalContract(server), IClassFixture<SqliteApiServer>;

public sealed class ResourcesOnSqlite(SqliteApiServer server) : ResourceContract(server), IClassFixture<SqliteApiServer>;

public sealed class HangUpsOnSqlite(SqliteApiServer server) : HangUpContract(server), IClassFixture<SqliteApiServer>;

public sealed class ProblemsOnSqlite(SqliteApiServer server) : ProblemContract(server), IClassFixture<SqliteApiServer>;
