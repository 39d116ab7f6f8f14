namespace ApiJobs.Processing;

/// <summary>Runs loops that end when they are told to, and never before.</summary>
internal static class BackgroundLoops
{
    /// <summary>Runs all loops until <paramref name="stopping"/>. If one ends before, the others are told to end too, as for a stop, and then that is thrown.</summary>
    /// <remarks>A process that goes on with fewer loops than it has looks well and is not; one that ends is seen, and started again.</remarks>
    /// <exception cref="InvalidOperationException">A loop ended before it was told to; the inner exception, if there is one, says why.</exception>
    public static async Task RunAsync(CancellationToken stopping, params IReadOnlyList<(string Name, Func<CancellationToken, Task> RunAsync)> loops)
    {
        using var all = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var running = loops.Select(loop => Task.Run(() => loop.RunAsync(all.Token), CancellationToken.None)).ToList();
        var first = await Task.WhenAny(running);
        var endedEarly = !stopping.IsCancellationRequested;
        await all.CancelAsync();
        await Task.WhenAll(running).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        if (endedEarly)
            throw new InvalidOperationException($"The {loops[running.IndexOf(first)].Name} ended, though nobody told it to.", first.Exception?.InnerException);
        await Task.WhenAll(running);
    }
}
