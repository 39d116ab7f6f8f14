using System.Diagnostics;

namespace ApiJobs.Crash.Tests.Rounds;

/// <summary>Waiting for what other processes do: they give no signal, so they are asked again and again.</summary>
internal static class Wait
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(15);

    /// <summary>Asks until the answer is yes.</summary>
    /// <returns>Whether it was, in time.</returns>
    public static async Task<bool> UntilAsync(Func<Task<bool>> isSo, TimeSpan within)
    {
        var waiting = Stopwatch.StartNew();
        while (!await isSo())
        {
            if (waiting.Elapsed > within)
                return false;
            await Task.Delay(Interval, TimeProvider.System);
        }

        return true;
    }
}
