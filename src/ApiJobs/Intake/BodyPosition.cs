using System.Globalization;

namespace ApiJobs.Intake;

/// <summary>Where in a body a fault is, as machines and as people read it.</summary>
internal readonly record struct BodyPosition(long? ByteOffset, long? RecordIndex, long? Line)
{
    /// <summary>The position after these bytes, in the same record.</summary>
    public BodyPosition After(ReadOnlySpan<byte> bytes) =>
        this with { ByteOffset = ByteOffset + bytes.Length, Line = Line + bytes.Count((byte)'\n') };

    /// <summary>Makes the exception of a fault at this position.</summary>
    public RequestFaultException Fault(string code, string detail, Exception? revealedBy = null)
    {
        var fault = new RequestFault(code, detail) { ByteOffset = ByteOffset, RecordIndex = RecordIndex, Line = Line };
        return revealedBy is null ? new RequestFaultException(fault) : new RequestFaultException(fault, revealedBy);
    }

    /// <summary>For example <c>line 4, byte 1,234 of the body (record 3; bytes and records are counted from 0)</c>.</summary>
    public override string ToString()
    {
        var bytes = ByteOffset is { } offset ? string.Create(CultureInfo.InvariantCulture, $"byte {offset:N0} of the body") : null;
        var line = Line is { } number ? string.Create(CultureInfo.InvariantCulture, $"line {number:N0}") : null;
        var record = RecordIndex is { } index ? string.Create(CultureInfo.InvariantCulture, $"record {index:N0}") : null;
        var place = string.Join(", ", new[] { line, bytes }.OfType<string>());
        return (record, bytes) switch
        {
            (null, null) => place,
            (null, _) => $"{place} (counted from 0)",
            (_, null) => place.Length == 0 ? $"{record} (counted from 0)" : $"{place} ({record}, counted from 0)",
            _ => $"{place} ({record}; bytes and records are counted from 0)",
        };
    }
}
