using ApiJobs.Intake;
using ApiJobs.Operations;
using ApiJobs.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ApiJobs.Processing;

/// <summary>Hosts this process's workers, and sweeps away what broken uploads left.</summary>
/// <remarks>
/// Stopping lets each worker finish the chunks at hand and give its lane back. If the host does not wait that long, the
/// process ends in mid-transaction: the store rolls it back, and the chunks are applied by whoever claims the lane next.
/// </remarks>
public sealed class WorkerService(
    IJobStore store,
    OperationCatalog operations,
    IOptions<WorkerOptions> workerOptions,
    IOptions<IntakeOptions> intakeOptions,
    WorkPace pace,
    TimeProvider time,
    ILogger<WorkerService> logger) : BackgroundService
{
    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var options = workerOptions.Value;
        var slots = Enumerable.Range(0, options.Slots)
            .Select(_ => Task.Run(() => new Worker(store, operations, options, pace, time, logger).RunAsync(stoppingToken), CancellationToken.None));
        return Task.WhenAll([.. slots, SweepAsync(stoppingToken)]);
    }

    private async Task SweepAsync(CancellationToken stopping)
    {
        var idleFor = intakeOptions.Value.UploadExpiry;
        using var timer = new PeriodicTimer(idleFor / 4, time);
        try
        {
            do
            {
                try
                {
                    var swept = await store.SweepUploadsAsync(idleFor, stopping);
                    if (swept > 0)
                        logger.LogInformation("{UploadCount} broken uploads were swept away.", swept);
                }
                catch (StoreUnavailableException exception)
                {
                    logger.LogWarning(exception, "Broken uploads could not be swept away now.");
                }
            }
            while (await timer.WaitForNextTickAsync(stopping));
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }
}
