using System.Text.RegularExpressions;
using ApiJobs.Resources;
using ApiJobs.Server.OAuth;
using ApiJobs.Server.Settings;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.PostgreSql;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace ApiJobs.Server.Tests.OAuth;

public sealed class OAuthSchemaTests(PostgreSqlDatabases databases) : IDisposable
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly string _folder = Directory.CreateTempSubdirectory("apijobs-schema-").FullName;

    [Theory]
    [InlineData("Sqlite")]
    [InlineData("PostgreSql")]
    public async Task The_scripts_make_every_column_that_the_model_has_and_nodes_may_run_them_at_once(string provider)
    {
        var storage = await StorageAsync(provider);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => OAuthSchema.Upgrade(storage), Cancel)));
        OAuthSchema.Upgrade(storage);

        await using var context = Open(storage);
        (await context.Set<ApiClient>().ToListAsync(Cancel)).ShouldBeEmpty();
        (await context.Set<ApiAuthorization>().ToListAsync(Cancel)).ShouldBeEmpty();
        (await context.Set<ApiScope>().ToListAsync(Cancel)).ShouldBeEmpty();
        (await context.Set<ApiToken>().ToListAsync(Cancel)).ShouldBeEmpty();
        (await context.Set<StoredSigningKey>().ToListAsync(Cancel)).ShouldBeEmpty();

        context.Clients.AddRange(new ApiClient { Id = "1", ClientId = "same" }, new ApiClient { Id = "2", ClientId = "same" });
        var exception = await Should.ThrowAsync<DbUpdateException>(() => context.SaveChangesAsync(Cancel));
        exception.InnerException!.Message.ShouldContain("client_id");
    }

    [Theory]
    [InlineData("Sqlite")]
    [InlineData("PostgreSql")]
    public async Task The_stores_scripts_and_these_are_journaled_by_one_kind_of_name(string provider)
    {
        var storage = await StorageAsync(provider);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(new ResourceCatalog([]));
        if (storage.IsPostgreSql)
            services.AddPostgreSqlStore(storage.ConnectionString!, options => options.Listen = false);
        else
            services.AddSqliteStore(storage.ConnectionString!);
        await using (var provided = services.BuildServiceProvider())
            await provided.GetRequiredService<IUpkeep>().InitializeAsync(Cancel);
        OAuthSchema.Upgrade(storage);

        await using var context = Open(storage);
        var names = await context.Database.SqlQueryRaw<string>(
            "SELECT scriptname AS \"Value\" FROM schema_versions UNION ALL SELECT scriptname FROM oauth_schema_versions ORDER BY 1").ToListAsync(Cancel);
        names.ShouldContain("0001_jobs.sql");
        names.ShouldContain("0001_clients_and_keys.sql");
        names.ShouldAllBe(name => Regex.IsMatch(name, "^[0-9]{4}_[a-z_]+[.]sql$"));
    }

    [Fact]
    public async Task Tables_of_a_newer_program_are_refused()
    {
        var storage = await StorageAsync("Sqlite");
        OAuthSchema.Upgrade(storage);
        await using (var context = Open(storage))
            await context.Database.ExecuteSqlRawAsync("INSERT INTO oauth_schema_versions (ScriptName, Applied) VALUES ('9999_later.sql', '2030-01-01')", Cancel);
        Should.Throw<SchemaTooNewException>(() => OAuthSchema.Upgrade(storage)).Message.ShouldContain("9999_later");
    }

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<StorageSettings> StorageAsync(string provider) => new()
    {
        Provider = provider,
        ConnectionString = provider == "PostgreSql" ? await databases.CreateAsync() : $"Data Source={Path.Combine(_folder, "schema.db")}",
    };

    private static OAuthDbContext Open(StorageSettings storage)
    {
        var options = new DbContextOptionsBuilder<OAuthDbContext>();
        OAuthDbContext.UseDatabase(options, storage);
        return new(options.Options);
    }
}
