using System.Globalization;

namespace ApiJobs.Records;

/// <summary>One record of a job in an operation's hands: what was sent, and what becomes of it.</summary>
/// <remarks>
/// A record is prepared once, away from any transaction, and applied one or more times: a transaction that is rolled
/// back is tried again. Errors given while preparing stay; the outcome of an attempt is forgotten before the next.
/// </remarks>
public sealed class JobRecord
{
    /// <summary>The most errors that are kept of a record.</summary>
    public const int MaxErrors = 20;

    /// <summary>The longest key that is shown, in UTF-16 characters.</summary>
    public const int MaxKeyLength = 200;

    /// <summary>The longest <see cref="RecordError.Code"/>; a longer one is cut.</summary>
    public const int MaxCodeLength = 64;

    /// <summary>The longest <see cref="RecordError.Message"/>; a longer one is cut.</summary>
    public const int MaxMessageLength = 500;

    /// <summary>The longest <see cref="RecordError.Pointer"/>; a longer one becomes its nearest parent's.</summary>
    public const int MaxPointerLength = 256;

    private static readonly RecordError GivenUp = new(
        RecordErrorCodes.InternalError, "The record could not be processed because of an internal error.", "");

    private readonly List<RecordError> _errors = [];
    private int _preparationErrorCount;

    /// <summary>Makes the record with this index of a job.</summary>
    /// <param name="jobId">The job it came with.</param>
    /// <param name="index">Its zero-based index in the request.</param>
    /// <param name="json">One well-formed JSON object in UTF-8, as sent.</param>
    public JobRecord(Guid jobId, long index, ReadOnlyMemory<byte> json)
    {
        JobId = jobId;
        Index = index;
        Json = json;
    }

    /// <summary>The job the record came with.</summary>
    public Guid JobId { get; }

    /// <summary>The record's zero-based index in its request.</summary>
    public long Index { get; }

    /// <summary>
    /// The same for every attempt at this record, and no other record's: send it with an effect outside the transaction, which may be tried
    /// more than once, so that the other side can tell. At most 64 ASCII characters.
    /// </summary>
    public string IdempotencyKey => string.Create(CultureInfo.InvariantCulture, $"{JobId:D}-{Index}");

    /// <summary>One well-formed JSON object in UTF-8, as sent. Valid while the record is being prepared and applied.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    /// <summary>The key the caller sent, for messages and results. Set while preparing.</summary>
    /// <value>Null if there is none that can be shown exactly: it is empty, longer than <see cref="MaxKeyLength"/>, or not <see cref="ShowableText"/>.</value>
    public string? Key { get; set => field = ExactlyShown(value); }

    /// <summary>The key the engine makes for a record that brings none; shown once the record has made a row. Set while preparing.</summary>
    public string? MadeKey { get; set => field = ExactlyShown(value); }

    /// <summary>What the operation read out of <see cref="Json"/>. Set while preparing.</summary>
    public object? Content { get; set; }

    /// <summary>What happened to the record.</summary>
    public RecordOutcome Outcome { get; private set; }

    /// <summary>Why it was refused; empty unless <see cref="Outcome"/> is <see cref="RecordOutcome.Failed"/>.</summary>
    public IReadOnlyList<RecordError> Errors => _errors;

    /// <summary>The key to show for an outcome.</summary>
    public string? KeyFor(RecordOutcome outcome) => Key ?? (outcome == RecordOutcome.Created ? MadeKey : null);

    /// <summary>The record made a new row.</summary>
    public void Created() => SetOutcome(RecordOutcome.Created);

    /// <summary>The record changed its row.</summary>
    public void Updated() => SetOutcome(RecordOutcome.Updated);

    /// <summary>The record's row is already up to date.</summary>
    public void Unchanged() => SetOutcome(RecordOutcome.Unchanged);

    /// <summary>Whether no more errors are kept.</summary>
    internal bool HasAllErrors => _errors.Count >= MaxErrors;

    /// <summary>The record is refused. May be said more than once: the first <see cref="MaxErrors"/> reasons are kept.</summary>
    /// <param name="code">A stable, snake_case name of the fault.</param>
    /// <param name="message">A sentence for people, of any text: what is kept of it is <see cref="ShowableText"/>.</param>
    /// <param name="pointer">A JSON Pointer to the member at fault (<see cref="JsonPointer"/>); empty for the whole record.</param>
    public void Fail(string code, string message, string pointer = "")
    {
        if (Outcome is not (RecordOutcome.Unprocessed or RecordOutcome.Failed))
            throw new InvalidOperationException($"Record {Index} already has the outcome {Outcome}; it cannot fail as well.");
        Outcome = RecordOutcome.Failed;
        if (!HasAllErrors)
            _errors.Add(new(ShowableText.Of(code, MaxCodeLength), ShowableText.Of(message, MaxMessageLength), JsonPointer.Bounded(pointer, MaxPointerLength)));
    }

    /// <summary>The record is refused because the code that handles it crashed, whatever that code said of it before.</summary>
    internal void GiveUp()
    {
        Outcome = RecordOutcome.Failed;
        _errors.Add(GivenUp);
    }

    /// <summary>Whether <see cref="GiveUp"/> was said of it, and not what its operation said itself.</summary>
    internal bool IsGivenUp => Outcome == RecordOutcome.Failed && _errors.Exists(error => ReferenceEquals(error, GivenUp));

    /// <summary>Marks the end of preparing: the errors so far stay with the record.</summary>
    internal void EndPreparation() => _preparationErrorCount = _errors.Count;

    /// <summary>Forgets the outcome of an attempt that was rolled back.</summary>
    internal void ForgetAttempt()
    {
        _errors.RemoveRange(_preparationErrorCount, _errors.Count - _preparationErrorCount);
        Outcome = _errors.Count > 0 ? RecordOutcome.Failed : RecordOutcome.Unprocessed;
    }

    // A key that was changed to be shown would be another record's.
    private static string? ExactlyShown(string? key) =>
        key is { Length: > 0 and <= MaxKeyLength } && ShowableText.IsShowable(key) ? key : null;

    private void SetOutcome(RecordOutcome outcome)
    {
        if (Outcome != RecordOutcome.Unprocessed)
            throw new InvalidOperationException($"Record {Index} already has the outcome {Outcome}; it cannot be {outcome} as well.");
        Outcome = outcome;
    }
}
