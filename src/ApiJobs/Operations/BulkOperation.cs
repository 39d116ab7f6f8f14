using System.Data.Common;
using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.Operations;

/// <summary>What one type of bulk request does to its records.</summary>
/// <remarks>
/// <para>Declared resources bring their operations with them. Write one by hand, preferably from
/// <see cref="BulkOperation{TRecord}"/>, for what a declaration cannot say.</para>
/// <para>Operations are shared by all workers and must be safe to call from several threads.</para>
/// </remarks>
public abstract class BulkOperation
{
    /// <summary>The job's type: <c>{resource}_bulk_{operation}</c>.</summary>
    public abstract string Type { get; }

    /// <summary>What the job's message calls a record: <c>Case</c>.</summary>
    public abstract string Label { get; }

    /// <summary>
    /// The lane the jobs queue in; empty is the company's main lane. Name another only if nothing that this operation
    /// touches is touched by the operations of other lanes: jobs of different lanes run at the same time, in any order.
    /// </summary>
    public virtual string Lane => "";

    /// <summary>The member that every record must have to be of any use; null if there is none.</summary>
    /// <remarks>A body whose header lacks it is refused at the door, instead of every one of its records later.</remarks>
    public virtual string? KeyMember(JobOptions options) => null;

    /// <summary>The members that records may have; null if any may stand in them.</summary>
    /// <remarks>A body whose header has another one is refused at the door, with the nearest of these.</remarks>
    public virtual IReadOnlyCollection<string>? KnownMembers => null;

    /// <summary>
    /// How many records a chunk may hold, at the most: so many are applied in one transaction at first, and at least. Ten unless
    /// overridden; raise it for an operation that is quick, because every chunk costs the store a row.
    /// </summary>
    public virtual int MaxChunkRecords => 10;

    /// <summary>Whether requests may be rehearsed (<see cref="JobOptions.DryRun"/>); not unless overridden.</summary>
    /// <remarks>
    /// A rehearsal calls <see cref="ApplyAsync"/> and rolls back whatever it did in the transaction. Two things remain the operation's own:
    /// effects outside the database, which it must leave out (<see cref="OperationContext.IsRehearsal"/>); and that a record does not
    /// see what records before it did, unless they are in the same call.
    /// </remarks>
    public virtual bool CanRehearse => false;

    /// <summary>Whether the operation may ask the database for what no declaration has made: then a record may be at fault if it is not there.</summary>
    internal virtual bool HasStatementsOfItsOwn => true;

    /// <summary>Whether the operation itself sees to it that a rehearsal changes no row.</summary>
    internal virtual bool KeepsRehearsalsApart => false;

    /// <summary>Reads and checks a record, away from any transaction: sets its key and content, or refuses it.</summary>
    /// <remarks>Called once or more for the same record, at different times; the same record must give the same. A record on which it throws fails alone.</remarks>
    public abstract void Prepare(JobRecord record, JobOptions options);

    /// <summary>Makes the effects of records in a transaction and gives each its outcome.</summary>
    /// <param name="records">Records that <see cref="Prepare"/> did not refuse, in input order; of one company, perhaps of several jobs.</param>
    /// <param name="context">The open transaction and what else the records share.</param>
    /// <param name="cancellationToken">Cancels the attempt; everything is rolled back.</param>
    /// <remarks>
    /// <para>If it throws, everything is rolled back and the records are tried again in smaller groups, until the ones that
    /// cause the fault stand alone. So effects outside the transaction may happen more than once.</para>
    /// <para><b>Everybody waits for it: whatever it does outside the transaction (a call over HTTP, a file) keeps the transaction open,
    /// and with it the company's lane, the rows it has touched, and on SQLite all writers of all companies, for as long as it takes.</b>
    /// The engine hands over fewer records at once when they take long, down to one chunk (<see cref="MaxChunkRecords"/>); a single
    /// record it cannot divide.</para>
    /// </remarks>
    public abstract Task ApplyAsync(
        IReadOnlyList<JobRecord> records, OperationContext context, CancellationToken cancellationToken);

    /// <summary>Prepares a record; one on which the operation crashes is given up there and then.</summary>
    /// <returns>The crash; null if there was none.</returns>
    internal Exception? TryPrepare(JobRecord record, JobOptions options)
    {
        Exception? crash = null;
        try
        {
            Prepare(record, options);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            crash = exception;
            record.GiveUp();
        }

        record.EndPreparation();
        return crash;
    }

    /// <summary>Reads the key to show of a record that was effected or is unchanged, without preparing it again.</summary>
    /// <returns><see langword="false"/> if only preparing tells.</returns>
    internal virtual bool TryReadKey(ReadOnlySpan<byte> json, ApiJob job, long index, RecordOutcome outcome, out string? key)
    {
        key = null;
        return false;
    }

    /// <summary>Applies records, and sees to it that each has an outcome.</summary>
    internal async Task ApplyAllAsync(IReadOnlyList<JobRecord> records, OperationContext context, CancellationToken cancellationToken)
    {
        if (context.IsRehearsal && !KeepsRehearsalsApart)
            await CodedRehearsal.ApplyAsync(this, records, context, cancellationToken);
        else
            await ApplyAsync(records, context, cancellationToken);
        foreach (var record in records)
        {
            if (record.Outcome == RecordOutcome.Unprocessed)
                throw new InvalidOperationException($"Operation '{Type}' gave record {record.Index} of job {record.JobId} no outcome.");
        }
    }
}

/// <summary>What the records of one call share.</summary>
/// <param name="CompanyId">The company that owns the job and every row it may touch.</param>
/// <param name="Options">What the request asked for beyond its type.</param>
/// <param name="Transaction">The open transaction; what is done through it commits with the cursor, or not at all.</param>
public sealed record OperationContext(Guid CompanyId, JobOptions Options, IChunkTransaction Transaction)
{
    /// <summary>The time to write into rows, UTC, by the store's clock.</summary>
    public DateTimeOffset Now => Transaction.Now;

    /// <summary>Whether nothing of this is to remain: what is done in the transaction will be rolled back, and other effects must be left out.</summary>
    public bool IsRehearsal => Options.DryRun;

    /// <summary>Whether no call before had records of the job.</summary>
    internal bool IsFirstOfJob { get; init; }

    /// <summary>Whether no call after will have records of the job.</summary>
    internal bool IsLastOfJob { get; init; }

    /// <summary>Makes a command on the open transaction, for an operation's own SQL.</summary>
    public DbCommand CreateCommand(string sql)
    {
        var command = Transaction.Connection.CreateCommand();
        command.Transaction = Transaction.Transaction;
#pragma warning disable CA2100 // The SQL is the operation's own; values go into parameters.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }
}
