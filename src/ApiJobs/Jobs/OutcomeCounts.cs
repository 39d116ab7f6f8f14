using ApiJobs.Records;

namespace ApiJobs.Jobs;

/// <summary>How many records of a job, or of a part of it, had each outcome.</summary>
/// <param name="Created">Records that made a new row.</param>
/// <param name="Updated">Records that changed a row.</param>
/// <param name="Unchanged">Records whose row was already up to date.</param>
/// <param name="Failed">Records that were refused.</param>
public readonly record struct OutcomeCounts(long Created, long Updated, long Unchanged, long Failed)
{
    /// <summary>Records that the job really changed; the seed's word.</summary>
    public long Effected => Created + Updated;

    /// <summary>Records that were not effected, each of which has an entry in the job's message.</summary>
    public long NotEffected => Unchanged + Failed;

    /// <summary>Records that have an outcome.</summary>
    public long Processed => Created + Updated + Unchanged + Failed;

    /// <summary>Adds two counts, member by member.</summary>
    public static OutcomeCounts operator +(OutcomeCounts left, OutcomeCounts right) => left.Add(right);

    /// <summary>Adds another count to this one, member by member.</summary>
    public OutcomeCounts Add(OutcomeCounts other) => new(
        Created + other.Created, Updated + other.Updated, Unchanged + other.Unchanged, Failed + other.Failed);

    /// <summary>Counts the outcomes of some records, one byte a record.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A byte is not one of <see cref="RecordOutcome"/>'s processed values.</exception>
    public static OutcomeCounts Of(ReadOnlySpan<byte> outcomes)
    {
        Span<int> counts = stackalloc int[(int)RecordOutcome.Failed + 1];
        foreach (var outcome in outcomes)
        {
            if (outcome is 0 or > (byte)RecordOutcome.Failed)
                throw new ArgumentOutOfRangeException(nameof(outcomes), outcome, "An applied record's outcome is 1 to 4.");
            counts[outcome]++;
        }

        return new(
            counts[(int)RecordOutcome.Created], counts[(int)RecordOutcome.Updated],
            counts[(int)RecordOutcome.Unchanged], counts[(int)RecordOutcome.Failed]);
    }
}
