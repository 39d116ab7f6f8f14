using ApiJobs.Records;

namespace ApiJobs.Operations;

/// <summary>Rehearses an operation whose statements the engine does not know: everything is done, and rolled back.</summary>
internal static class CodedRehearsal
{
    public static async Task ApplyAsync(
        BulkOperation operation, IReadOnlyList<JobRecord> records, OperationContext context, CancellationToken cancellationToken)
    {
        // Only a program that could rehearse it has accepted the job. This one cannot, and must not do it in earnest.
        if (!operation.CanRehearse)
        {
            foreach (var record in records)
                record.Fail(RecordErrorCodes.NotRehearsable, "The server cannot rehearse this operation any more; nothing was tried.");
            return;
        }

        try
        {
            await context.Transaction.InSavepointAsync(
                async () =>
                {
                    await operation.ApplyAsync(records, context, cancellationToken);
                    throw new RehearsedException();
                },
                cancellationToken);
        }
        catch (RehearsedException)
        {
            // The savepoint was rolled back; the outcomes stay with the records.
        }
    }

    private sealed class RehearsedException : Exception;
}
