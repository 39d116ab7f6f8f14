using ApiJobs.Operations;
using ApiJobs.Records;

namespace ApiJobs.Resources;

/// <summary>Updates rows without reading them first, where that cannot make a difference to anybody.</summary>
/// <remarks>
/// A row that exists and differs is updated, and needs no further look; nearly every record of an ordinary update is of
/// that kind. What the store did not update is decided like all else, on the rows as they are (decision 0009).
/// </remarks>
internal static class DirectUpdate
{
    /// <summary>Updates what can be updated directly.</summary>
    /// <returns>The records that are still to be decided on, in their order.</returns>
    public static async Task<IReadOnlyList<JobRecord>> ApplyAsync(
        Resource resource, IReadOnlyList<JobRecord> records, OperationContext context, CancellationToken cancellationToken)
    {
        var writes = new RowWrite[records.Count];
        var ids = new HashSet<Guid>(records.Count);
        for (var i = 0; i < writes.Length; i++)
        {
            var change = (RecordChange)records[i].Content!;
            // Of two records for one row, the second has to see what the first one did.
            if ((change.Present & resource.CheckedFields) != 0 || change.Present == 0 || !ids.Add(change.RowId))
                return records;
            writes[i] = new(new(change.RowId, change.Values, context.Now, context.Now), IsNew: false, change.Present);
        }

        var updated = await context.Transaction.UpdateDifferingAsync(resource, context.CompanyId, writes, cancellationToken);
        var undecided = new List<JobRecord>();
        foreach (var record in records)
        {
            if (updated.Contains(((RecordChange)record.Content!).RowId))
                record.Updated();
            else
                undecided.Add(record);
        }

        return undecided;
    }
}
