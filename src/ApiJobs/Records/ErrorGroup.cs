namespace ApiJobs.Records;

/// <summary>One kind of error that records of a job have: the same code at the same place.</summary>
/// <param name="Code">The errors' <see cref="RecordError.Code"/>; <see cref="OtherCode"/> for the kinds beyond <see cref="MaxPerJob"/>.</param>
/// <param name="Pointer">Their <see cref="RecordError.Pointer"/>.</param>
/// <param name="Count">How many records have it. A record with errors of several kinds counts in each.</param>
/// <param name="FirstIndex">The zero-based index, in the request, of the first record that has it.</param>
/// <param name="Message">What that record was told.</param>
public sealed record ErrorGroup(string Code, string Pointer, long Count, long FirstIndex, string Message)
{
    /// <summary>The most kinds that a store keeps of a job, the one of <see cref="OtherCode"/> among them.</summary>
    public const int MaxPerJob = 100;

    /// <summary>The code, with an empty pointer, that errors of all further kinds are counted under.</summary>
    public const string OtherCode = "other";

    /// <summary>What stands as the message of <see cref="OtherCode"/>.</summary>
    public const string OtherMessage = "There are errors of further kinds; the list of records tells each.";

    /// <summary>Groups the errors of failed records, in the order of first appearance.</summary>
    public static IReadOnlyList<ErrorGroup> Of(IReadOnlyList<FailedRecord> failures)
    {
        ArgumentNullException.ThrowIfNull(failures);
        if (failures.Count == 0)
            return [];
        var groups = new List<ErrorGroup>();
        var byKind = new Dictionary<(string Code, string Pointer), int>();
        foreach (var failed in failures)
        {
            for (var i = 0; i < failed.Errors.Count; i++)
            {
                var (code, message, pointer) = failed.Errors[i];
                if (!byKind.TryGetValue((code, pointer), out var at))
                {
                    byKind.Add((code, pointer), groups.Count);
                    groups.Add(new(code, pointer, 1, failed.Index, message));
                }
                else if (!HadBefore(failed.Errors, i))
                {
                    groups[at] = groups[at] with { Count = groups[at].Count + 1 };
                }
            }
        }

        return groups;
    }

    /// <summary>Puts the groups of consecutive chunks together.</summary>
    public static IReadOnlyList<ErrorGroup> Merge(IReadOnlyList<IReadOnlyList<ErrorGroup>> chunks)
    {
        ArgumentNullException.ThrowIfNull(chunks);
        if (chunks.Count == 1)
            return chunks[0];
        var merged = new List<ErrorGroup>();
        var byKind = new Dictionary<(string Code, string Pointer), int>();
        foreach (var group in chunks.SelectMany(groups => groups))
        {
            if (byKind.TryAdd((group.Code, group.Pointer), merged.Count))
                merged.Add(group);
            else if (byKind[(group.Code, group.Pointer)] is var at)
                merged[at] = merged[at] with { Count = merged[at].Count + group.Count };
        }

        return merged;
    }

    // Two errors of one record may be of one kind: a coded operation says what it likes. A record has at most twenty.
    private static bool HadBefore(IReadOnlyList<RecordError> errors, int index)
    {
        for (var i = 0; i < index; i++)
        {
            if (errors[i].Code == errors[index].Code && errors[i].Pointer == errors[index].Pointer)
                return true;
        }

        return false;
    }
}
