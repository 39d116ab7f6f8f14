using Microsoft.Extensions.Hosting;

namespace ApiJobs.Processing;

/// <summary>placeholder</summary>
public sealed class WorkerService : BackgroundService
{
    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.CompletedTask;
}
