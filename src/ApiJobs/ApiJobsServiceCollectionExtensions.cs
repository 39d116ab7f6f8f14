using ApiJobs;
using ApiJobs.Admission;
using ApiJobs.Declarations;
using ApiJobs.Intake;
using ApiJobs.Operations;
using ApiJobs.Processing;
using ApiJobs.Storage;
using ApiJobs.Waiting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the engine to an application's services.</summary>
public static class ApiJobsServiceCollectionExtensions
{
    /// <summary>Registers the engine and its workers, for any host; the store is added beside it, and a web application maps the endpoints.</summary>
    /// <remarks>
    /// Options come from the configuration sections <c>Intake</c>, <c>Limits</c>, <c>Worker</c>, <c>Wait</c> and <c>Retention</c>, and are checked when the application
    /// starts. The store's schema is made or upgraded before the server accepts requests; if that fails, the
    /// application does not start.
    /// </remarks>
    /// <param name="services">The application's services.</param>
    /// <param name="declare">Declares the resources and operations.</param>
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
    public static IServiceCollection AddApiJobs(this IServiceCollection services, Action<ApiJobsBuilder> declare)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.Any(service => service.ServiceType == typeof(ApiJobEngine)))
            throw new InvalidOperationException("AddApiJobs was called twice. Declare all resources and operations in one call.");
        var declarations = ApiJobsDeclarations.Of(declare);

        services.AddSingleton(declarations);
        services.AddSingleton(declarations.Resources);
        foreach (var operation in declarations.Routes.Select(route => route.ServiceType).OfType<Type>())
            services.TryAddSingleton(operation);
        services.AddSingleton(provider => new BulkRoutes([.. declarations.Routes.Select(route => route.Resolve(provider))]));
        services.AddSingleton(provider => new OperationCatalog(provider.GetRequiredService<BulkRoutes>().All.Select(route => route.Operation)));
        services.AddSingleton<ApiJobEngine>();
        services.AddSingleton<WorkPace>();
        services.AddSingleton<JobWatch>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<IntakeOptions>().BindConfiguration("Intake").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<AdmissionOptions>().BindConfiguration("Limits").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<WorkerOptions>().BindConfiguration("Worker").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<RetentionOptions>().BindConfiguration("Retention").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<WaitOptions>().BindConfiguration("Wait").ValidateDataAnnotations().ValidateOnStart();
        services.AddHostedService<StoreInitialization>();
        services.AddSingleton(WorkersOrNone);
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
