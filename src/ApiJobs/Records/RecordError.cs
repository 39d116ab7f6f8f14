namespace ApiJobs.Records;

/// <summary>Why a record was refused. Data, never an exception.</summary>
/// <param name="Code">A stable, snake_case name of the fault, one of <see cref="RecordErrorCodes"/> or an operation's own.</param>
/// <param name="Message">A sentence for people: what is wrong, the value's limit, what to do.</param>
/// <param name="Pointer">A JSON Pointer (RFC 6901) to the member within the record; empty for the record as a whole.</param>
public sealed record RecordError(string Code, string Message, string Pointer);
