using ApiJobs.Intake;
using ApiJobs.Operations;
using ApiJobs.Storage;
using ApiJobs.Waiting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ApiJobs.Processing;

/// <summary>Hosts this process's workers, and its housekeeping.</summary>
/// <remarks>
/// Stopping lets each worker finish the chunks at hand and give its lane back. If the host does not wait that long, the
/// process ends in mid-transaction: the store rolls it back, and the chunks are applied by whoever claims the lane next.
/// A loop that ends by itself fails the service, and a host stops when one of its services fails, unless it is configured otherwise.
/// </remarks>
public sealed class WorkerService(
    ILaneStore lanes,
    IUpkeep upkeep,
    OperationCatalog operations,
    IOptions<WorkerOptions> workerOptions,
    IOptions<IntakeOptions> intakeOptions,
    IOptions<RetentionOptions> retentionOptions,
    WorkPace pace,
    JobWatch watch,
    TimeProvider time,
    ILogger<WorkerService> logger) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var outage = new Outage(time, logger);
        var node = new WorkerNode(lanes, operations, workerOptions.Value, pace, watch, outage, time, logger);
        var slots = Enumerable.Range(1, node.Options.Slots)
            .Select(slot => ($"worker {slot}", (Func<CancellationToken, Task>)new Worker(node).RunAsync));
        var housekeeper = new Housekeeper(upkeep, intakeOptions.Value, retentionOptions.Value, outage, time, logger);
        try
        {
            await BackgroundLoops.RunAsync(stoppingToken, [.. slots, ("housekeeper", housekeeper.RunAsync)]);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            logger.LoopEnded(exception);
            throw;
        }
    }
}
