using System.ComponentModel.DataAnnotations;
using ApiJobs.PostgreSql;
using ApiJobs.Resources;
using ApiJobs.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ApiJobs.Server.Tests.Settings;

/// <summary>An application of one's own, without the server: a store refuses options out of their bounds before it touches a database.</summary>
public sealed class StoreOptionsTests
{
    [Fact]
    public void The_SQLite_store_refuses_options_out_of_their_bounds()
    {
        Should.Throw<ValidationException>(() => Resolve<SqliteStore>(services => services.AddSqliteStore("Data Source=x.db", options => options.MaxReaders = 0))).Message.ShouldContain("MaxReaders");
        Should.Throw<ValidationException>(() => Resolve<SqliteStore>(services => services.AddSqliteStore("Data Source=x.db", options => options.LockTimeout = TimeSpan.Zero))).Message.ShouldContain("LockTimeout");
    }

    [Fact]
    public void The_PostgreSQL_store_refuses_options_out_of_their_bounds()
    {
        Should.Throw<ValidationException>(() => Resolve<PostgreSqlStore>(services => services.AddPostgreSqlStore("Host=x", options => options.NotifyInterval = TimeSpan.FromSeconds(-1)))).Message.ShouldContain("NotifyInterval");
        Should.Throw<ValidationException>(() => Resolve<PostgreSqlStore>(services => services.AddPostgreSqlStore("Host=x", options => options.IdleTransactionTimeout = TimeSpan.Zero))).Message.ShouldContain("IdleTransactionTimeout");
    }

    [Fact]
    public void Options_of_the_SQLite_store_can_come_from_configuration()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Storage:MaxReaders", "3")]).Build();
        var options = Resolve<IOptions<SqliteStoreOptions>>(services =>
        {
            services.AddSingleton<IConfiguration>(configuration);
            services.AddOptions<SqliteStoreOptions>().BindConfiguration("Storage");
            services.AddSqliteStore("Data Source=x.db");
        });
        options.Value.MaxReaders.ShouldBe(3);
        options.Value.ConnectionString.ShouldBe("Data Source=x.db");
    }

    private static T Resolve<T>(Action<IServiceCollection> add)
        where T : class
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(new ResourceCatalog([]));
        add(services);
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<T>();
    }
}
