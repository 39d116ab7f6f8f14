using System.Text;
using ApiJobs.Records;

namespace ApiJobs.Jobs;

/// <summary>The text of a job's message, after the seed: one entry for each record that was not effected.</summary>
public static class JobMessageText
{
    private const string Rule = "---------------------------";

    /// <summary>Writes one entry.</summary>
    /// <param name="label">What the resource calls a record: <c>Case</c>.</param>
    /// <param name="key">The record's key; null names the record by its index.</param>
    /// <param name="index">The record's zero-based index in the request.</param>
    /// <param name="errors">Why it was refused; empty for a record that was already up to date.</param>
    public static string Entry(string label, string? key, long index, IReadOnlyList<RecordError> errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        var name = key is null ? $"Record #{index}" : $"{label} ID: {key}";
        return $"{Rule}\n{name} failed with the following errors:\n\n{Errors(label, errors)}\n{Rule}";
    }

    /// <summary>The whole message of a job as its caller sees it.</summary>
    /// <param name="job">The job.</param>
    /// <param name="entries">Its stored entries, of the same moment (<see cref="Storage.IJobStore.ReadMessageAsync"/>).</param>
    /// <param name="recordsUrl">Where the full list of results is.</param>
    public static string Render(ApiJob job, string entries, string recordsUrl)
    {
        ArgumentNullException.ThrowIfNull(job);
        return Render(job, entries, job.MessageEntryCount, recordsUrl);
    }

    /// <summary>The message of a job in a list: the first entries, as many as fit <see cref="ListedJob.MessageBytes"/>, and how many more there are.</summary>
    /// <param name="listed">The job.</param>
    /// <param name="recordsUrl">Where the full list of results is.</param>
    public static string Render(ListedJob listed, string recordsUrl)
    {
        ArgumentNullException.ThrowIfNull(listed);
        var (job, start) = listed;
        if (job.MessageBytes <= ListedJob.MessageBytes)
            return Render(job, start, recordsUrl);
        // An entry is whole where the next one's rule follows its own.
        var (count, length) = (0, 0);
        for (var end = NextEnd(0); end > 0 && Encoding.UTF8.GetByteCount(start.AsSpan(0, end)) <= ListedJob.MessageBytes; end = NextEnd(end))
            (count, length) = (count + 1, end);
        return Render(job, start[..length], count, recordsUrl);

        int NextEnd(int from) => start.IndexOf($"\n{Rule}{Rule}\n", from, StringComparison.Ordinal) is >= 0 and var line ? line + 1 + Rule.Length : -1;
    }

    private static string Render(ApiJob job, string entries, long entryCount, string recordsUrl)
    {
        var more = job.Counts.NotEffected - entryCount;
        if (more <= 0 && job.Failure is null)
            return entries;

        var text = new StringBuilder(entries);
        if (more > 0)
            AppendLine(text, $"{more} more {(more == 1 ? "record was" : "records were")} not effected; the full list is at {recordsUrl}");
        if (job.Failure is { } failure)
            AppendLine(text, job.Unprocessed == 0 ? failure.Message : $"{failure.Message} {Left(job.Unprocessed)}");
        return text.ToString();
    }

    // The seed has one sentence for a record whose row does not exist and for one whose row needs no change.
    private static string Errors(string label, IReadOnlyList<RecordError> errors) =>
        errors.Count == 0 || (errors.Count == 1 && errors[0].Code == RecordErrorCodes.NotFound)
            ? $"{label} does not exist or record already updated."
            : string.Join('\n', errors.Select(error => error.Message));

    // Not stored with the failure: how many are left is known for sure only once the job has ended.
    private static string Left(long unprocessed) => $"{unprocessed} {(unprocessed == 1 ? "record was" : "records were")} not processed.";

    private static void AppendLine(StringBuilder text, string line)
    {
        if (text.Length > 0)
            text.Append('\n');
        text.Append(line);
    }
}
