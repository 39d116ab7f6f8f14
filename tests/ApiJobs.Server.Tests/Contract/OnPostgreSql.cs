using ApiJobs.Stores.Tests.PostgreSql;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>The API on a PostgreSQL database of its own.</summary>
public class PostgreSqlApiServer(PostgreSqlDatabases databases) : ApiServer
{
    private string _connectionString = "";

    /// <summary>Makes another node on the same database; it is to be started.</summary>
    public PostgreSqlApiServer AnotherNode() => new(databases) { _connectionString = _connectionString };

    public override async Task<long> CountStoredRowsAsync(Guid companyId)
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            SELECT (SELECT count(*) FROM jobs WHERE company_id = $1)
                 + (SELECT count(*) FROM uploads WHERE company_id = $1)
                 + (SELECT count(*) FROM chunks WHERE company_id = $1)
            """, connection);
        command.Parameters.Add(new() { Value = companyId });
        return (long)(await command.ExecuteScalarAsync())!;
    }

    protected override async Task AddStoreAsync(IServiceCollection services)
    {
        if (_connectionString.Length == 0)
            _connectionString = await databases.CreateAsync();
        services.AddPostgreSqlStore(_connectionString);
    }

    protected override ValueTask RemoveStoreAsync() => ValueTask.CompletedTask;
}

/// <summary>The same, with limits that a test can reach.</summary>
public sealed class LimitedPostgreSqlApiServer(PostgreSqlDatabases databases) : PostgreSqlApiServer(databases)
{
    protected override IReadOnlyDictionary<string, string?> Settings => LimitContract.Settings;
}

public sealed class LimitsOnPostgreSql(LimitedPostgreSqlApiServer server) : LimitContract(server), IClassFixture<LimitedPostgreSqlApiServer>;

public sealed class JobsOnPostgreSql(PostgreSqlApiServer server) : JobContract(server), IClassFixture<PostgreSqlApiServer>;

public sealed class JobListOnPostgreSql(PostgreSqlApiServer server) : JobListContract(server), IClassFixture<PostgreSqlApiServer>;

public sealed class BulkOnPostgreSql(PostgreSqlApiServer server) : BulkContract(server), IClassFixture<PostgreSqlApiServer>;

public sealed class BadInputOnPostgreSql(PostgreSqlApiServer server) : BadInputContract(server), IClassFixture<PostgreSqlApiServer>;

public sealed class CallersOnPostgreSql(PostgreSqlApiServer server) : CallerContract(server), IClassFixture<PostgreSqlApiServer>;

public sealed class RecordsOnPostgreSql(PostgreSqlApiServer server) : RecordsContract(server), IClassFixture<PostgreSqlApiServer>;

public sealed class RehearsalsOnPostgreSql(PostgreSqlApiServer server) : RehearsalContract(server), IClassFixture<PostgreSqlApiServer>;

public sealed class ResourcesOnPostgreSql(PostgreSqlApiServer server) : ResourceContract(server), IClassFixture<PostgreSqlApiServer>;

public sealed class HangUpsOnPostgreSql(PostgreSqlApiServer server) : HangUpContract(server), IClassFixture<PostgreSqlApiServer>;

public sealed class ProblemsOnPostgreSql(PostgreSqlApiServer server) : ProblemContract(server), IClassFixture<PostgreSqlApiServer>;

public sealed class WaitingOnPostgreSql(PostgreSqlApiServer server) : WaitContract(server), IClassFixture<PostgreSqlApiServer>;

public sealed class EventsOnPostgreSql(PostgreSqlApiServer server) : EventsContract(server), IClassFixture<PostgreSqlApiServer>;
public sealed class ChangesOnPostgreSql(PostgreSqlApiServer server) : ChangeContract(server), IClassFixture<PostgreSqlApiServer>;

public sealed class IdempotencyOnPostgreSql(PostgreSqlApiServer server) : IdempotencyContract(server), IClassFixture<PostgreSqlApiServer>;
