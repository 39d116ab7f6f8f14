using ApiJobs.Storage;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Processing;

/// <summary>Says once that the store is away, and once that it is back, for all that runs in this node.</summary>
internal sealed class Outage(TimeProvider time, ILogger logger)
{
    private readonly Lock _gate = new();
    private long? _began;

    /// <summary>Takes note that the store could not serve.</summary>
    public void Note(StoreUnavailableException exception)
    {
        lock (_gate)
        {
            if (_began is not null)
                return;
            _began = time.GetTimestamp();
        }

        logger.StoreAway(exception);
    }

    /// <summary>Takes note that the store served.</summary>
    public void End()
    {
        TimeSpan lasted;
        lock (_gate)
        {
            if (_began is not { } began)
                return;
            lasted = time.GetElapsedTime(began);
            _began = null;
        }

        logger.StoreBack(lasted.TotalSeconds);
    }
}
