using System.Data;
using System.Runtime.ExceptionServices;
using ApiJobs.Operations;
using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.Processing;

/// <summary>Applies records under savepoints, in smaller and smaller groups, until those that cause a fault stand alone and fail alone.</summary>
/// <remarks>
/// A record that breaks a rule of the database fails with that. One that crashes, or takes longer than the database waits,
/// has three chances (<see cref="Suspects"/>). What the database lacks (a table, a right) is the record's fault only if the
/// operation's own statements ask for it and others of its records do without; else the lane waits until it is mended.
/// </remarks>
internal sealed class Isolation(BulkOperation operation, OperationContext context, WorkerNode node)
{
    private readonly List<(JobRecord Record, Exception Fault)> _lacking = [];
    private int _givenUpCount;

    public async Task ApplyAsync(List<JobRecord> records, CancellationToken cancellationToken)
    {
        foreach (var part in node.Suspects.Divide(records))
            await ApplyPartAsync(part, cancellationToken);
        if (_lacking.Count == 0)
            return;
        if (_lacking.Count + _givenUpCount == records.Count)
            ExceptionDispatchInfo.Throw(_lacking[0].Fault);
        foreach (var (record, fault) in _lacking)
        {
            node.Logger.RecordAskedForWhatIsNotThere(fault, operation.Type, record.Index, record.JobId);
            record.GiveUp();
        }
    }

    private async Task ApplyPartAsync(List<JobRecord> records, CancellationToken cancellationToken)
    {
        while (!IsGivenUp(records))
        {
            Exception? cause = null;
            try
            {
                await context.Transaction.InSavepointAsync(ApplyAsync, cancellationToken);
                return;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested && node.MayBeOfARecord(cause ?? exception))
            {
                foreach (var record in records)
                    record.ForgetAttempt();
                var fault = node.Store.Classify(cause ?? exception);
                Note(records, fault, cause ?? exception);
                // The savepoint could not be rolled back to: the transaction is lost, and only what was noted is left of it.
                var isLost = !ReferenceEquals(exception, cause) || context.Transaction.Connection.State != ConnectionState.Open;
                if (isLost || (fault == StoreFault.Deployment && !operation.HasStatementsOfItsOwn))
                    ExceptionDispatchInfo.Throw(fault == StoreFault.TooSlow ? cause ?? exception : exception);
                if (records.Count > 1)
                    break;
                if (Decide(records[0], fault, exception))
                    return;
            }

            async Task ApplyAsync()
            {
                try
                {
                    await operation.ApplyAllAsync(records, context, cancellationToken);
                }
                catch (Exception exception)
                {
                    cause = exception;
                    throw;
                }
            }
        }

        if (records.Count == 1)
            return;
        var half = records.Count / 2;
        await ApplyPartAsync(records[..half], cancellationToken);
        await ApplyPartAsync(records[half..], cancellationToken);
    }

    private bool IsGivenUp(List<JobRecord> records)
    {
        if (records is not [var record] || !node.Suspects.IsGivenUp(record))
            return false;
        record.GiveUp();
        _givenUpCount++;
        return true;
    }

    private void Note(List<JobRecord> records, StoreFault fault, Exception exception)
    {
        if (fault is StoreFault.Constraint or StoreFault.Deployment || (fault == StoreFault.None && records.Count > 1))
            return;
        var strikes = node.Suspects.Note(records);
        if (records is [var record])
            node.Logger.RecordCrashed(exception, operation.Type, record.Index, record.JobId, strikes, Suspects.MaxStrikes);
    }

    // False: it gets another chance, if it has one left.
    private bool Decide(JobRecord record, StoreFault fault, Exception exception)
    {
        if (fault == StoreFault.Constraint)
            record.Fail(RecordErrorCodes.ConstraintViolation, "The record breaks a rule of the database.");
        else if (fault == StoreFault.Deployment)
            _lacking.Add((record, exception));
        return fault is StoreFault.Constraint or StoreFault.Deployment;
    }
}
