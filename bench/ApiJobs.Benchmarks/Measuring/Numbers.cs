using System.Globalization;

namespace ApiJobs.Benchmarks.Measuring;

internal static class Numbers
{
    /// <summary>Writes a number with three significant digits or all of its whole ones, for people.</summary>
    public static string Format(double value) => Math.Abs(value) switch
    {
        >= 100 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.00", CultureInfo.InvariantCulture),
    };

    /// <summary>Writes a median and, if there was more than one round, its spread.</summary>
    public static string Format(double median, double min, double max, int rounds) =>
        rounds == 1 ? Format(median) : $"{Format(median)} ({Format(min)}…{Format(max)})";
}
