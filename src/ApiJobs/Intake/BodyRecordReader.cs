using System.Globalization;
using System.Runtime.CompilerServices;

namespace ApiJobs.Intake;

/// <summary>What the readers of all formats share: a window over the body, filled on when the format needs more of it.</summary>
public abstract class BodyRecordReader : RecordReader
{
    private int _wantedBytes = 1;
    private bool _isBegun;

    private protected BodyRecordReader(Stream body, IntakeOptions options)
    {
        ArgumentNullException.ThrowIfNull(body);
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        Window = new BodyWindow(body);
    }

    private protected enum Step
    {
        NeedsMore,
        Record,
        End,
    }

    private protected IntakeOptions Options { get; }

    private protected BodyWindow Window { get; }

    /// <summary>The zero-based index of the record that is read next.</summary>
    private protected long Index { get; set; }

    /// <inheritdoc/>
    public sealed override ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        var step = GoOn();
        return step == Step.NeedsMore ? ReadOnAsync(cancellationToken) : new ValueTask<bool>(step == Step.Record);
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Current = default;
        Window.Dispose();
        return base.DisposeAsync();
    }

    /// <summary>Goes as far as the window's bytes allow. Throws the fault, and again if called again.</summary>
    private protected abstract Step Advance();

    /// <summary>Asks for at least so many unread bytes, or all that are left, before <see cref="Advance"/> is called again.</summary>
    private protected Step NeedsMore(int bytes)
    {
        _wantedBytes = bytes;
        return Step.NeedsMore;
    }

    private protected Step EndOfBody()
    {
        Current = default;
        return Step.End;
    }

    private protected void CheckRecordsMax(BodyPosition record)
    {
        if (Index >= Options.MaxRecords)
            throw record.Fault(RequestFaultCodes.TooManyRecords, string.Create(CultureInfo.InvariantCulture,
                $"The body has more than {Options.MaxRecords:N0} records; one too many starts at {record}. Send them in several requests, or raise `Intake:MaxRecords`."));
    }

    private Step GoOn() => _isBegun ? Advance() : Begin();

    private Step Begin()
    {
        if (Window.Unread.Length < GzipBody.MagicBytes && !Window.AtEnd)
            return NeedsMore(GzipBody.MagicBytes);
        if (GzipBody.IsBegunBy(Window.Unread))
            throw new BodyPosition(0, null, null).Fault(RequestFaultCodes.InvalidEncoding,
                "The body is gzip data where text should be. If it was compressed on purpose, say so with `Content-Encoding: gzip`, once for each time.");
        _isBegun = true;
        return Advance();
    }

    // The common case, a record that is in the window already, allocates nothing; this one reuses its state machines.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ReadOnAsync(CancellationToken cancellationToken)
    {
        Step step;
        do
        {
            await Window.FillAsync(_wantedBytes, cancellationToken);
            step = GoOn();
        }
        while (step == Step.NeedsMore);
        return step == Step.Record;
    }
}
