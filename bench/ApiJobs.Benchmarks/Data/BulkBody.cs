using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ApiJobs.Benchmarks.Data;

/// <summary>The formats a body of records can have.</summary>
internal enum BodyFormat
{
    Json,
    Ndjson,
}

/// <summary>Writes one record.</summary>
internal delegate void WriteRecord(Utf8JsonWriter writer, long record);

/// <summary>A request's body that is made while it is sent: ten gigabytes take no more memory than ten records.</summary>
/// <param name="format">How the records are joined.</param>
/// <param name="isEnough">Given how many records and bytes are written, whether to stop.</param>
/// <param name="write">Writes the record of a number.</param>
internal sealed class BulkBody(BodyFormat format, Func<long, long, bool> isEnough, WriteRecord write) : HttpContent
{
    private const int FlushBytes = 128 * 1024;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>How many records were written.</summary>
    public long RecordCount { get; private set; }

    /// <summary>How many bytes were written.</summary>
    public long ByteCount { get; private set; }

    /// <summary>A body of a number of records, ready in memory, so that sending it costs no making.</summary>
    public static byte[] Make(long records, WriteRecord write)
    {
        using var stream = new MemoryStream();
        using var body = new BulkBody(BodyFormat.Json, (count, _) => count >= records, write);
        body.WriteToAsync(stream, CancellationToken.None).GetAwaiter().GetResult();
        return stream.ToArray();
    }

    /// <summary>Writes the body.</summary>
    public async Task WriteToAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>(2 * FlushBytes);
        using var writer = new Utf8JsonWriter(buffer, Options);
        if (format == BodyFormat.Json)
            buffer.Write("["u8);
        while (!isEnough(RecordCount, ByteCount + buffer.WrittenCount))
        {
            if (RecordCount > 0 && format == BodyFormat.Json)
                buffer.Write(",\n"u8);
            write(writer, RecordCount++);
            writer.Flush();
            writer.Reset();
            if (format == BodyFormat.Ndjson)
                buffer.Write("\n"u8);
            if (buffer.WrittenCount >= FlushBytes)
                await FlushAsync();
        }

        if (format == BodyFormat.Json)
            buffer.Write("]"u8);
        await FlushAsync();

        async Task FlushAsync()
        {
            ByteCount += buffer.WrittenCount;
            await stream.WriteAsync(buffer.WrittenMemory, cancellationToken);
            buffer.ResetWrittenCount();
        }
    }

    /// <summary>The body as JSON or NDJSON for a request.</summary>
    public BulkBody WithContentType()
    {
        Headers.ContentType = new MediaTypeHeaderValue(format == BodyFormat.Json ? "application/json" : "application/x-ndjson");
        return this;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        WriteToAsync(stream, cancellationToken);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => WriteToAsync(stream, CancellationToken.None);

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
