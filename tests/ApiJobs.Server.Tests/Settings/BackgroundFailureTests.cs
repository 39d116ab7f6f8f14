using ApiJobs.Intake;
using ApiJobs.Operations;
using ApiJobs.Processing;
using ApiJobs.Server.Http;
using ApiJobs.Storage;
using ApiJobs.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace ApiJobs.Server.Tests.Settings;

public sealed class BackgroundFailureTests : IDisposable
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly string _folder = Directory.CreateTempSubdirectory("apijobs-loops-").FullName;

    [Fact]
    public async Task A_loop_that_ends_while_the_host_runs_stops_the_host()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddSingleton(new Resources.ResourceCatalog([]));
        builder.Services.AddSqliteStore($"Data Source={Path.Combine(_folder, "apijobs.db")}");

        // No option that is checked can end a loop; this one is not, and a timer of nothing throws.
        builder.Services.AddHostedService(services => new WorkerService(
            services.GetRequiredService<ILaneStore>(), services.GetRequiredService<IUpkeep>(), new OperationCatalog([]), Options.Create(new WorkerOptions()),
            Options.Create(new IntakeOptions { UploadExpiry = TimeSpan.Zero }), Options.Create(new RetentionOptions()),
            new WorkPace(), new JobWatch(services.GetRequiredService<IJobStore>(), Options.Create(new WaitOptions()), TimeProvider.System, NullLogger<JobWatch>.Instance),
            TimeProvider.System, NullLogger<WorkerService>.Instance));
        using var host = builder.Build();
        await host.Services.GetRequiredService<IUpkeep>().InitializeAsync(Cancel);
        var stopping = new TaskCompletionSource();
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopping.SetResult);

        await host.StartAsync(Cancel);
        await stopping.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        BackgroundFailure.Of(host.Services.GetServices<IHostedService>()).ShouldNotBeNull().Message.ShouldContain("The housekeeper ended");
        await Should.NotThrowAsync(() => host.StopAsync(Cancel));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
