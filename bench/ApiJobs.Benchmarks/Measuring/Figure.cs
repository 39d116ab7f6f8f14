namespace ApiJobs.Benchmarks.Measuring;

/// <summary>Something measured in each of several rounds.</summary>
/// <param name="Name">What it is: <c>ApiJobs, accepted → completed</c>.</param>
/// <param name="Unit">The unit of the values: <c>records/s</c>.</param>
/// <param name="Rounds">A value for each round, in the order measured.</param>
internal sealed record Figure(string Name, string Unit, IReadOnlyList<double> Rounds)
{
    public double Median => Statistics.Median(Rounds);

    public double Min => Rounds.Min();

    public double Max => Rounds.Max();
}

/// <summary>What a figure is measured by: a ratio of two figures, or one in a unit of its own; and how it should come out.</summary>
/// <param name="Name">What is compared: <c>accepted → completed ÷ raw loop</c>.</param>
/// <param name="Rounds">The ratio in each round.</param>
/// <param name="Goal">How it should come out; null where the ratio only informs.</param>
internal sealed record Comparison(string Name, IReadOnlyList<double> Rounds, Goal? Goal)
{
    public double Median => Statistics.Median(Rounds);

    public double Min => Rounds.Min();

    public double Max => Rounds.Max();

    public bool? IsMet => Goal?.IsMetBy(Median);
}

/// <summary>A bound for a comparison's median.</summary>
/// <param name="Limit">The bound.</param>
/// <param name="IsUpper">Whether the median must not be above it; else it must not be below.</param>
internal sealed record Goal(double Limit, bool IsUpper)
{
    public static Goal AtLeast(double limit) => new(limit, IsUpper: false);

    public static Goal AtMost(double limit) => new(limit, IsUpper: true);

    public bool IsMetBy(double value) => IsUpper ? value <= Limit : value >= Limit;

    /// <summary>How far a value is: 1 is the goal reached exactly, more is better.</summary>
    public double ScoreOf(double value) => IsUpper ? Limit / value : value / Limit;
}

internal static class Statistics
{
    public static double Median(IReadOnlyCollection<double> values) => Percentile(values, 0.5);

    /// <summary>The value that a share of all values do not exceed, interpolated between neighbours for the median only.</summary>
    public static double Percentile(IReadOnlyCollection<double> values, double share)
    {
        if (values.Count == 0)
            throw new ArgumentException("Nothing was measured.", nameof(values));
        var sorted = values.Order().ToArray();
        if (share == 0.5 && sorted.Length % 2 == 0)
            return (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
        return sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];
    }
}
