namespace ApiJobs.Server.Tests.OAuth;

/// <summary>Waits for what another process does in its own time and tells nobody.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Asks until the answer is yes.</summary>
    /// <exception cref="TimeoutException">It was not in time.</exception>
    public static async Task WithinAsync(TimeSpan limit, Func<Task<bool>> ask)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await ask())
        {
            if (TimeProvider.System.GetElapsedTime(start) > limit)
                throw new TimeoutException($"It did not happen within {limit}.");
            await Task.Delay(Pause, TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
