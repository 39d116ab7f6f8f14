using System.ComponentModel.DataAnnotations;
using ApiJobs.PostgreSql;
using ApiJobs.Resources;
using ApiJobs.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the PostgreSQL store to an application.</summary>
public static class PostgreSqlStoreRegistration
{
    /// <summary>Registers the store and its four parts: <see cref="IJobStore"/>, <see cref="ILaneStore"/>, <see cref="IUpkeep"/> and <see cref="IResourceStore"/>.</summary>
    /// <param name="services">The application's services; a <see cref="ResourceCatalog"/> must be among them when the store is made.</param>
    /// <param name="connectionString">See <see cref="PostgreSqlStoreOptions.ConnectionString"/>.</param>
    /// <param name="configure">Sets the other options.</param>
    public static IServiceCollection AddPostgreSqlStore(
        this IServiceCollection services, string connectionString, Action<PostgreSqlStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        services.Configure<PostgreSqlStoreOptions>(options =>
        {
            options.ConnectionString = connectionString;
            configure?.Invoke(options);
        });
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider =>
        {
            var options = provider.GetRequiredService<IOptions<PostgreSqlStoreOptions>>().Value;
            Validator.ValidateObject(options, new(options), validateAllProperties: true);
            return new PostgreSqlStore(
                options, provider.GetRequiredService<ResourceCatalog>(),
                provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<PostgreSqlStore>>());
        });
        services.AddSingleton(provider => provider.GetRequiredService<PostgreSqlStore>().Jobs);
        services.AddSingleton(provider => provider.GetRequiredService<PostgreSqlStore>().Lanes);
        services.AddSingleton(provider => provider.GetRequiredService<PostgreSqlStore>().Upkeep);
        services.AddSingleton(provider => provider.GetRequiredService<PostgreSqlStore>().Rows);
        return services;
    }
}
