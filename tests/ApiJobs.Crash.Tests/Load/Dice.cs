namespace ApiJobs.Crash.Tests.Load;

/// <summary>Chance that can be repeated: the same seeds give the same throws. For one caller at a time.</summary>
internal sealed class Dice(params ReadOnlySpan<int> seeds)
{
#pragma warning disable CA5394 // Repeatable is what it must be, not secret.
    private readonly Random _random = new(Mix(seeds));

    /// <summary>A number from 0 on, less than <paramref name="count"/>.</summary>
    public int Next(int count) => _random.Next(count);

    public bool Chance(double probability) => _random.NextDouble() < probability;

    public TimeSpan Milliseconds(int from, int to) => TimeSpan.FromMilliseconds(_random.Next(from, to + 1));

    /// <summary>A seed for a run that was given none.</summary>
    public static int NewSeed() => Random.Shared.Next(1, 1_000_000);
#pragma warning restore CA5394

    private static int Mix(ReadOnlySpan<int> seeds)
    {
        var mixed = 17;
        foreach (var seed in seeds)
            mixed = unchecked((mixed * 486_187_739) + seed);
        return mixed;
    }
}
