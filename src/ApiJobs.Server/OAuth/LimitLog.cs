namespace ApiJobs.Server.OAuth;

/// <summary>Tells of token requests over their limit, once a second at the most: a flood of requests must not become one of lines.</summary>
internal sealed class LimitLog(TimeProvider time, ILogger<LimitLog> logger)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private long? _toldAt;
    private int _untold;

    /// <summary>Writes a line about the caller, or counts it for the next line.</summary>
    public void Tell(TokenCaller caller)
    {
        int untold;
        lock (_lock)
        {
            if (_toldAt is { } at && time.GetElapsedTime(at) < Quiet)
            {
                _untold++;
                return;
            }

            (untold, _untold, _toldAt) = (_untold, 0, time.GetTimestamp());
        }

        logger.LogWarning(
            "There are too many token requests: client '{ClientId}' at {Address} was told to wait, and {UntoldCount} requests before it.",
            ClientIds.Shorten(caller.ClientId), caller.Address, untold);
    }
}
