namespace ApiJobs.Intake;

/// <summary>Cuts the records out of a request's body as it streams in; one subclass a format.</summary>
/// <remarks>Memory is bounded by the largest record allowed, never by the body.</remarks>
public abstract class RecordReader : IAsyncDisposable
{
    /// <summary>The record read last: one JSON object in UTF-8, checked to be well-formed. Valid until the next read.</summary>
    public ReadOnlyMemory<byte> Current { get; protected set; }

    /// <summary>The members that every record has its value for, or leaves out: a CSV body's header. Null in formats without one. Known after the first read.</summary>
    public virtual IReadOnlyList<string>? Header => null;

    /// <summary>The one-based line that <see cref="Header"/> begins on; null in formats without one.</summary>
    public virtual long? HeaderLine => null;

    /// <summary>The one-based line of the body that <see cref="Current"/> begins on; null in formats without lines.</summary>
    public virtual long? Line => null;

    /// <summary>The names of the columns, in their order and as a header gives them; null in formats without one. Known after the first read.</summary>
    internal virtual IReadOnlyList<string>? Columns => null;

    /// <summary>Reads the next record.</summary>
    /// <returns><see langword="false"/> when the body has ended as its format says it must.</returns>
    /// <exception cref="RequestFaultException">The body cannot be read on; the position is in the fault.</exception>
    public abstract ValueTask<bool> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Returns buffers. The body itself is the caller's.</summary>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
