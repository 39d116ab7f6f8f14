using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using ApiJobs.Records;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>Writes what happened to records; one subclass a format.</summary>
internal abstract class RecordsWriter : IDisposable
{
    // As all answers: JSON, never a part of a web page.
    private protected static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public abstract void Begin(IBufferWriter<byte> output);

    public abstract void Write(IBufferWriter<byte> output, RecordResult record);

    public virtual void End(IBufferWriter<byte> output)
    {
    }

    public virtual void Dispose()
    {
    }

    private protected static void WriteObject(Utf8JsonWriter json, RecordResult record, bool includesRecord, bool onOneLine)
    {
        json.WriteStartObject();
        json.WriteNumber("index"u8, record.Index);
        if (record.Line is { } line)
            json.WriteNumber("line"u8, line);
        json.WriteString("key"u8, record.Key);
        json.WriteString("outcome"u8, RecordsQuery.NameOf(record.Outcome));
        json.WriteStartArray("errors"u8);
        foreach (var error in record.Errors)
        {
            json.WriteStartObject();
            json.WriteString("code"u8, error.Code);
            json.WriteString("message"u8, error.Message);
            json.WriteString("pointer"u8, error.Pointer);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (includesRecord)
        {
            json.WritePropertyName("record"u8);
            json.WriteRawValue(onOneLine ? OnOneLine(record.Json) : record.Json.Span, skipInputValidation: true);
        }

        json.WriteEndObject();
    }

    // In well-formed JSON the ends of lines stand between tokens only; in a text they would be escaped.
    private static ReadOnlySpan<byte> OnOneLine(ReadOnlyMemory<byte> json)
    {
        if (!json.Span.ContainsAny((byte)'\n', (byte)'\r'))
            return json.Span;
        var line = json.ToArray();
        line.AsSpan().Replace((byte)'\n', (byte)' ');
        line.AsSpan().Replace((byte)'\r', (byte)' ');
        return line;
    }
}

/// <summary>A page: <c>{"data":[…]}</c>.</summary>
internal sealed class JsonRecordsWriter(bool includesRecord) : RecordsWriter
{
    private Utf8JsonWriter? _json;

    public override void Begin(IBufferWriter<byte> output)
    {
        _json = new(output, JsonOptions);
        _json.WriteStartObject();
        _json.WriteStartArray("data"u8);
    }

    public override void Write(IBufferWriter<byte> output, RecordResult record) => WriteObject(_json!, record, includesRecord, onOneLine: false);

    public override void End(IBufferWriter<byte> output)
    {
        _json!.WriteEndArray();
        _json.WriteEndObject();
        _json.Flush();
    }

    public override void Dispose()
    {
        _json?.Dispose();
        base.Dispose();
    }
}

/// <summary>One object a line.</summary>
internal sealed class NdjsonRecordsWriter(bool includesRecord) : RecordsWriter
{
    private Utf8JsonWriter? _json;

    public override void Begin(IBufferWriter<byte> output) => _json = new(output, JsonOptions);

    public override void Write(IBufferWriter<byte> output, RecordResult record)
    {
        WriteObject(_json!, record, includesRecord, onOneLine: true);
        _json!.Flush();
        _json.Reset();
        output.Write("\n"u8);
    }

    public override void Dispose()
    {
        _json?.Dispose();
        base.Dispose();
    }
}
