using ApiJobs.Crash.Tests.Load;
using ApiJobs.Records;
using ApiJobs.Resources;

namespace ApiJobs.Crash.Tests.History;

/// <summary>One company's rows as they must be: the simplest program that does what the jobs say, one record after another.</summary>
internal sealed class LaneModel
{
    private readonly Dictionary<string, string> _notesByRow = new(StringComparer.Ordinal);

    /// <summary>The value of each row, by <see cref="NameOf"/>.</summary>
    public IReadOnlyDictionary<string, string> Rows => _notesByRow;

    /// <summary>Names a row: by its id, or, where the engine made that, by what is in it.</summary>
    public static string NameOf(Guid? id, string notes) => id?.ToString() ?? $"made for {notes}";

    /// <summary>Applies a record.</summary>
    /// <returns>The outcome it must have.</returns>
    public RecordOutcome Apply(ResourceVerb verb, PlannedRecord record)
    {
        if (record.Notes is not { } notes)
            return RecordOutcome.Failed;
        var row = NameOf(record.Id, notes);
        var exists = _notesByRow.TryGetValue(row, out var before);
        if (exists ? verb == ResourceVerb.Create : verb == ResourceVerb.Update)
            return RecordOutcome.Failed;
        _notesByRow[row] = notes;
        return !exists ? RecordOutcome.Created : before == notes ? RecordOutcome.Unchanged : RecordOutcome.Updated;
    }
}
