using System.Buffers;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ApiJobs.AspNetCore.Answers;

/// <summary>The finished bytes of a JSON answer.</summary>
internal readonly struct JsonAnswer
{
    // The answers are JSON documents, never parts of a web page: so quotes and dashes stay readable, as in the seed.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ReadOnlyMemory<byte> _bytes;

    private JsonAnswer(ReadOnlyMemory<byte> bytes) => _bytes = bytes;

    /// <summary>The bytes as UTF-8 JSON.</summary>
    public ReadOnlySpan<byte> Utf8 => _bytes.Span;

    /// <summary>Takes bytes that are UTF-8 JSON already.</summary>
    public static JsonAnswer Of(ReadOnlyMemory<byte> utf8) => new(utf8);

    /// <summary>Collects what <paramref name="write"/> writes.</summary>
    public static JsonAnswer Of(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Options))
            write(json);
        return new(buffer.WrittenMemory);
    }

    /// <summary>A strong validator: equal exactly when the bytes are.</summary>
    public EntityTagHeaderValue EntityTag()
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(_bytes.Span, hash);
        return new($"\"{Convert.ToHexStringLower(hash[..16])}\"");
    }

    /// <summary>Sends the bytes; the status and other headers are set already.</summary>
    public Task WriteAsync(HttpResponse response, string contentType = "application/json")
    {
        response.ContentType = contentType;
        response.ContentLength = _bytes.Length;
        return response.Body.WriteAsync(_bytes).AsTask();
    }
}
