using ApiJobs.AspNetCore.Routing;
using ApiJobs.Intake;
using ApiJobs.Operations;
using ApiJobs.Processing;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace ApiJobs.AspNetCore;

/// <summary>Adds the engine to an application's services.</summary>
public static class ApiJobsServices
{
    /// <summary>Registers the engine, its workers and what the endpoints need; the store is added beside it.</summary>
    /// <remarks>
    /// Options come from the configuration sections <c>Intake</c>, <c>Worker</c> and <c>Retention</c>, and are checked when the application
    /// starts. The store's schema is made or upgraded before the server accepts requests; if that fails, the
    /// application does not start.
    /// </remarks>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Declares the resources and operations, and says how a request's caller is found.</param>
    /// <exception cref="ArgumentException">A declaration contradicts another.</exception>
    /// <example>
    /// <code>
    /// builder.Services.AddSqliteStore("Data Source=jobs.db");
    /// builder.Services.AddApiJobs(jobs => jobs.AddResource(
    ///     new("customer_case", "Case", "cases", [Field.Text("ref", maxLength: 100) with { IsUnique = true, IsFilter = true }])));
    /// …
    /// app.MapApiJobs("/engine/api");
    /// </code>
    /// </example>
    public static IServiceCollection AddApiJobs(this IServiceCollection services, Action<ApiJobsBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        if (services.Any(service => service.ServiceType == typeof(ApiJobEngine)))
            throw new InvalidOperationException("AddApiJobs was called twice. Declare all resources and operations in one call.");
        var builder = new ApiJobsBuilder();
        configure(builder);
        var declarations = builder.Build();

        services.AddSingleton(declarations);
        services.AddSingleton(declarations.Resources);
        services.AddSingleton(new OperationCatalog(declarations.BulkRoutes.Select(route => route.Operation)));
        services.AddSingleton<ApiJobEngine>();
        services.AddSingleton<WorkPace>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<IntakeOptions>().BindConfiguration("Intake").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<WorkerOptions>().BindConfiguration("Worker").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<RetentionOptions>().BindConfiguration("Retention").ValidateDataAnnotations().ValidateOnStart();
        services.AddHostedService<StoreInitialization>();
        services.AddSingleton(WorkersOrNone);
        services.TryAddEnumerable(ServiceDescriptor.Transient<IApiDescriptionProvider, EndpointDescriptions>());
        return services;
    }

    // Whether this node works is configuration, which is not known yet when services are registered.
    private static IHostedService WorkersOrNone(IServiceProvider services) =>
        services.GetRequiredService<IOptions<WorkerOptions>>().Value.Enabled
            ? ActivatorUtilities.CreateInstance<WorkerService>(services)
            : new NoWorkers();

    private sealed class NoWorkers : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
