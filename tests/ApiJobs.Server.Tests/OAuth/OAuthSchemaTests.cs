using ApiJobs.Server.OAuth;
using ApiJobs.Server.Settings;
using ApiJobs.Storage;
using ApiJobs.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace ApiJobs.Server.Tests.OAuth;

public sealed class OAuthSchemaTests : IAsyncDisposable
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly string _folder = Directory.CreateTempSubdirectory("apijobs-schema-").FullName;

    [Theory]
    [InlineData("Sqlite")]
    [InlineData("PostgreSql")]
    public async Task The_scripts_make_every_column_that_the_model_has_and_nodes_may_run_them_at_once(string provider)
    {
        var server = provider == "PostgreSql" ? await PostgreSqlServer.StartAsync() : null;
        await using (server)
        {
            var storage = await StorageAsync(provider, server);
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => OAuthSchema.Upgrade(storage), Cancel)));
            OAuthSchema.Upgrade(storage);

            await using var context = Open(storage);
            (await context.Set<ApiClient>().ToListAsync(Cancel)).ShouldBeEmpty();
            (await context.Set<ApiAuthorization>().ToListAsync(Cancel)).ShouldBeEmpty();
            (await context.Set<ApiScope>().ToListAsync(Cancel)).ShouldBeEmpty();
            (await context.Set<ApiToken>().ToListAsync(Cancel)).ShouldBeEmpty();
            (await context.Set<StoredSigningKey>().ToListAsync(Cancel)).ShouldBeEmpty();

            var unique = Should.Throw<DbUpdateException>(() =>
            {
                context.Clients.AddRange(new ApiClient { Id = "1", ClientId = "same" }, new ApiClient { Id = "2", ClientId = "same" });
                context.SaveChanges();
            });
            unique.InnerException!.Message.ShouldContain("client_id");
        }
    }

    [Fact]
    public async Task Tables_of_a_newer_program_are_refused()
    {
        var storage = await StorageAsync("Sqlite", server: null);
        OAuthSchema.Upgrade(storage);
        await using (var context = Open(storage))
            await context.Database.ExecuteSqlRawAsync("INSERT INTO oauth_schema_versions (ScriptName, Applied) VALUES ('ApiJobs.Server.OAuth.Migrations.Sqlite.9999_later.sql', '2030-01-01')", Cancel);
        Should.Throw<SchemaTooNewException>(() => OAuthSchema.Upgrade(storage)).Message.ShouldContain("9999_later");
    }

    public ValueTask DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task<StorageSettings> StorageAsync(string provider, PostgreSqlServer? server) => new()
    {
        Provider = provider,
        ConnectionString = server is null ? $"Data Source={Path.Combine(_folder, "schema.db")}" : await server.CreateDatabaseAsync(),
    };

    private static OAuthDbContext Open(StorageSettings storage)
    {
        var options = new DbContextOptionsBuilder<OAuthDbContext>();
        OAuthDbContext.UseDatabase(options, storage);
        return new(options.Options);
    }
}
