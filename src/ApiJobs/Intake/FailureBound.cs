using System.Globalization;

namespace ApiJobs.Intake;

/// <summary>How many records of a job may fail before it is given up: a number, or a part of all.</summary>
/// <remarks>A part is resolved when all records have arrived: it is rounded down, so that never more fail than was said.</remarks>
public readonly record struct FailureBound
{
    private const int Percent = 100;

    private readonly long _value;
    private readonly bool _isPercentage;

    private FailureBound(long value, bool isPercentage) => (_value, _isPercentage) = (value, isPercentage);

    /// <summary>Reads a bound as callers write it: <c>100</c>, or <c>5%</c>.</summary>
    /// <returns><see langword="false"/> unless it is a whole number of at least 1, or a whole percentage from 1 to 100.</returns>
    public static bool TryParse(string? text, out FailureBound bound)
    {
        bound = default;
        var isPercentage = text is [.., '%'];
        if (!long.TryParse(isPercentage ? text![..^1] : text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            || value < 1 || (isPercentage && value > Percent))
        {
            return false;
        }

        bound = new(value, isPercentage);
        return true;
    }

    /// <summary>The number of records that may fail of so many.</summary>
    public long Of(long totalRecords) => _isPercentage ? (long)((Int128)totalRecords * _value / Percent) : _value;
}
