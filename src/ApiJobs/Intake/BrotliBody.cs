using System.Buffers;
using System.IO.Compression;

namespace ApiJobs.Intake;

/// <summary>A body compressed with brotli (RFC 7932).</summary>
internal sealed class BrotliBody(Stream body, IntakeOptions options) : DecompressedBody(body, options)
{
    private BrotliDecoder _decoder;
    private bool _isDone;

    private protected override async ValueTask<int> DecompressAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!_isDone)
        {
            var status = _decoder.Decompress(Window.Unread, buffer.Span, out var consumed, out var written);
            Window.Consume(consumed);
            if (status == OperationStatus.InvalidData) throw Invalid("The body is not the brotli data that its Content-Encoding says");
            _isDone = status == OperationStatus.Done;
            if (written > 0) return written;
            if (status != OperationStatus.NeedMoreData) continue;
            if (Window.AtEnd) throw Invalid("The brotli data is cut off");
            await Window.FillAsync(Window.Unread.Length + 1, cancellationToken);
        }

        await Window.FillAsync(1, cancellationToken);
        return Window.Unread.IsEmpty ? 0 : throw Invalid("The brotli data is complete, but the body goes on after it");
    }

    protected override void Dispose(bool disposing)
    {
        _decoder.Dispose();
        base.Dispose(disposing);
    }
}
