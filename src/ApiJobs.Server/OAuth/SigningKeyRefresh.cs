namespace ApiJobs.Server.OAuth;

/// <summary>Keeps this node's signing keys as the database has them, and rotates them when they are due.</summary>
internal sealed class SigningKeyRefresh(SigningKeyRing ring, TimeProvider time, ILogger<SigningKeyRefresh> logger) : BackgroundService
{
    /// <summary>How often the keys are loaded.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (await ring.RefreshAsync(stoppingToken))
                    logger.LogInformation("The signing keys changed; tokens are now signed with {Kid}, and {KeyCount} keys verify them.", ring.Keys[0].KeyId, ring.Keys.Count);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The keys at hand stay good; the next tick tries again.
                logger.LogWarning(exception, "The signing keys could not be loaded; the ones at hand stay in use.");
            }
        }
    }
}
