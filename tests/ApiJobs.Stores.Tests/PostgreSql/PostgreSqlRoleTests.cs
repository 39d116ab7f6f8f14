using System.Collections.Concurrent;
using ApiJobs.PostgreSql;
using ApiJobs.PostgreSql.Session;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>The role that companies' transactions run as: one a database, and the rights that a node needs.</summary>
public sealed class PostgreSqlRoleTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    private readonly Guid _company = Guid.CreateVersion7();

    [Fact]
    public async Task Two_installations_on_one_server_have_roles_that_see_nothing_of_each_other()
    {
        await SealAsync(_company);
        var role = $"apijobs_{new NpgsqlConnectionStringBuilder(ConnectionString).Database}";
        var (first, second) = (ConnectionString, await CreateDatabaseAsync());
        await using var other = new OpenedStore(new(new() { ConnectionString = second }, new([Notes]), Time, Log));
        await other.InitializeAsync(Token);

        (await AskAsync(first)).ShouldBeTrue();
        (await AskAsync(second)).ShouldBeFalse();

        async Task<bool> AskAsync(string database)
        {
            await using var connection = new NpgsqlConnection(database);
            await connection.OpenAsync(Token);
            await using var command = new NpgsqlCommand($"SELECT has_table_privilege('{role}', 'jobs', 'SELECT')", connection);
            return (bool)(await command.ExecuteScalarAsync(Token))!;
        }
    }

    [Fact]
    public async Task A_user_who_owns_nothing_and_may_only_work_as_the_role_runs_a_node_on_what_another_has_upgraded()
    {
        var connection = new NpgsqlConnectionStringBuilder(ConnectionString) { Database = new NpgsqlConnectionStringBuilder(await CreateDatabaseAsync()).Database };
        var (database, owner, node) = (connection.Database!, $"owner_{Guid.CreateVersion7():N}", $"node_{Guid.CreateVersion7():N}");
        await ExecuteAsync($"""
            CREATE ROLE "apijobs_{database}" NOLOGIN;
            CREATE ROLE {owner} LOGIN PASSWORD 'x' IN ROLE "apijobs_{database}";
            CREATE ROLE {node} LOGIN PASSWORD 'x' IN ROLE "apijobs_{database}";
            ALTER DATABASE {database} OWNER TO {owner};
            """);
        await using var upgrading = Open(owner);
        await upgrading.InitializeAsync(Token);

        await using var running = Open(node);
        await running.InitializeAsync(Token);
        await SealAsync(_company, running);
        var lease = (await running.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        var chunks = await running.ReadAheadAsync(lease, null, 10, Token);
        (await running.ApplyAsync(lease, chunks, (_, _) => AllUpdated(chunks), Token)).ShouldNotBeEmpty();
        await running.ReleaseLaneAsync(lease, Token);
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => SealAsync(Guid.CreateVersion7(), running)));
        await running.SweepUploadsAsync(TimeSpan.Zero, Token);
        Log.Warnings.ShouldBeEmpty();

        OpenedStore Open(string user) => new(new(
            new() { ConnectionString = new NpgsqlConnectionStringBuilder(connection.ConnectionString) { Username = user, Password = "x" }.ConnectionString },
            new([Notes]), Time, Log));
    }

    [Fact]
    public async Task A_user_with_more_power_than_the_store_needs_is_warned_of_at_the_start()
    {
        var maker = $"maker_{Guid.CreateVersion7():N}";
        await ExecuteAsync($"CREATE ROLE {maker} LOGIN PASSWORD 'x' CREATEROLE; CREATE SCHEMA AUTHORIZATION {maker}");
        await using var store = new OpenedStore(new(
            new() { ConnectionString = new NpgsqlConnectionStringBuilder(ConnectionString) { Username = maker, Password = "x", SearchPath = maker }.ConnectionString },
            new([Notes]), Time, Log));

        await Should.NotThrowAsync(store.InitializeAsync(Token));

        Log.Warnings.ShouldContain(warning => warning.Contains("CREATEROLE", StringComparison.Ordinal));
    }

    [Fact]
    public void A_databases_name_gives_the_role_one_that_fits()
    {
        CompanyRole.Of("crm").ShouldBe("apijobs_crm");
        var name = CompanyRole.Of(new string('é', 31));
        name.Length.ShouldBe(40);
        name.ShouldNotBe(CompanyRole.Of(new string('è', 31)));
    }

    private WarningLog Log { get; } = new();
}

/// <summary>Keeps the warnings of a store.</summary>
public sealed class WarningLog : ILogger<PostgreSqlStore>
{
    private readonly ConcurrentQueue<string> _warnings = [];
    private readonly TaskCompletionSource _warned = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyCollection<string> Warnings => _warnings;

    /// <summary>Ends with the first warning.</summary>
    public Task Warned => _warned.Task;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;
        _warnings.Enqueue(formatter(state, exception));
        _warned.TrySetResult();
    }
}
