using System.ComponentModel.DataAnnotations;
using ApiJobs.Sqlite;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the embedded store.</summary>
public static class SqliteStoreRegistration
{
    /// <summary>Keeps jobs and resources in one SQLite file. One process owns the file; for several nodes use PostgreSQL.</summary>
    /// <param name="services">The application's services. A <see cref="ApiJobs.Resources.ResourceCatalog"/> has to be among them.</param>
    /// <param name="connectionString">Names the file: <c>Data Source=data/apijobs.db</c>.</param>
    /// <param name="configure">Sets further options; null for none.</param>
    public static IServiceCollection AddSqliteStore(
        this IServiceCollection services, string connectionString, Action<SqliteStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.Configure<SqliteStoreOptions>(options =>
        {
            options.ConnectionString = connectionString;
            configure?.Invoke(options);
        });
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider =>
        {
            var options = provider.GetRequiredService<IOptions<SqliteStoreOptions>>().Value;
            Validator.ValidateObject(options, new(options), validateAllProperties: true);
            return options;
        });
        services.AddSingleton<SqliteStore>();
        services.AddSingleton(provider => provider.GetRequiredService<SqliteStore>().Jobs);
        services.AddSingleton(provider => provider.GetRequiredService<SqliteStore>().Lanes);
        services.AddSingleton(provider => provider.GetRequiredService<SqliteStore>().Upkeep);
        services.AddSingleton(provider => provider.GetRequiredService<SqliteStore>().Rows);
        return services;
    }
}
