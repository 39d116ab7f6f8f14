using ApiJobs.Intake;
using ApiJobs.Operations;
using ApiJobs.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ApiJobs.Processing;

/// <summary>Hosts this process's workers, and its housekeeping.</summary>
/// <remarks>
/// Stopping lets each worker finish the chunks at hand and give its lane back. If the host does not wait that long, the
/// process ends in mid-transaction: the store rolls it back, and the chunks are applied by whoever claims the lane next.
/// A loop bears every fault of the store and of operations. If one ends all the same, that is a bug: it is logged, the others
/// finish, and the host stops (as hosts do unless told otherwise), so that whoever watches the process
/// starts a whole one instead of leaving a part.
/// </remarks>
public sealed class WorkerService(
    ILaneStore lanes,
    IUpkeep upkeep,
    OperationCatalog operations,
    IOptions<WorkerOptions> workerOptions,
    IOptions<IntakeOptions> intakeOptions,
    IOptions<RetentionOptions> retentionOptions,
    WorkPace pace,
    TimeProvider time,
    ILogger<WorkerService> logger) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var outage = new Outage(time, logger);
        var node = new WorkerNode(lanes, operations, workerOptions.Value, pace, outage, time, logger);
        var housekeeper = new Housekeeper(upkeep, intakeOptions.Value, retentionOptions.Value, outage, time, logger);
        List<Task> loops = [Task.Run(() => housekeeper.RunAsync(stopping.Token), CancellationToken.None)];
        for (var slot = 0; slot < node.Options.Slots; slot++)
            loops.Add(Task.Run(() => new Worker(node).RunAsync(stopping.Token), CancellationToken.None));

        await foreach (var loop in Task.WhenEach(loops))
        {
            if (loop.Exception is not { } fault)
                continue;
            logger.LoopEnded(fault.GetBaseException());
            await stopping.CancelAsync();
        }

        await Task.WhenAll(loops);
    }
}
