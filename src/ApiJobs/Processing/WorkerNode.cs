using ApiJobs.Operations;
using ApiJobs.Storage;
using ApiJobs.Waiting;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Processing;

/// <summary>What the worker slots of this node share: what they work with, what they learn, and what they say once for all.</summary>
internal sealed class WorkerNode(
    ILaneStore store, OperationCatalog operations, WorkerOptions options, WorkPace pace, JobWatch watch, Outage outage, TimeProvider time, ILogger logger)
{
    public ILaneStore Store => store;

    public OperationCatalog Operations => operations;

    public WorkerOptions Options => options;

    public WorkPace Pace => pace;

    public GroupSizes Sizes { get; } = new(options);

    public Suspects Suspects { get; } = new();

    /// <summary>Those who wait on this node; they are told what it does to their jobs.</summary>
    public JobWatch Watch => watch;

    public Outage Outage => outage;

    public TimeProvider Time => time;

    public ILogger Logger => logger;

    /// <summary>Whether a fault may lie with a record: the store could go on, and so could the process.</summary>
    public bool MayBeOfARecord(Exception exception) => exception is not OutOfMemoryException && !store.IsTransient(exception);
}
