using System.Globalization;

namespace ApiJobs.Intake;

/// <summary>A compressed body, read as what it decompresses to, with an absolute cap and one relative to what was sent.</summary>
/// <remarks>
/// The framework's own streams end quietly where the data is cut off or goes on after its end; these throw a
/// <see cref="RequestFaultException"/>, so that half a body is never taken for a whole one.
/// </remarks>
internal abstract class DecompressedBody : Stream
{
    private const int AlwaysAllowedBytes = 1 << 20;

    private readonly IntakeOptions _options;
    private long _bytes;

    private protected DecompressedBody(Stream body, IntakeOptions options)
    {
        _options = options;
        Window = new BodyWindow(body);
    }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    private protected BodyWindow Window { get; }

    /// <summary>How many bytes it has decompressed to so far.</summary>
    private protected long DecompressedBytes => _bytes;

    /// <summary>How many bytes of the body, as sent, have been used.</summary>
    private protected virtual long UsedBytes => Window.Offset;

    /// <exception cref="RequestFaultException">The body is not what its Content-Encoding says, or a cap is reached.</exception>
    public sealed override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            // Whoever asks for nothing wants to wait until there is something.
            await Window.WaitAsync(cancellationToken);
            return 0;
        }
        var read = await DecompressAsync(buffer, cancellationToken);
        _bytes += read;
        if (_bytes > _options.MaxDecompressedBytes)
            throw TooLarge($"{_options.MaxDecompressedBytes:N0} bytes, the most allowed. Send it in several requests, or raise `Intake:MaxDecompressedBytes`.");
        if (_bytes > AlwaysAllowedBytes && _bytes / _options.MaxCompressionRatio > UsedBytes)
            throw TooLarge($"{_options.MaxCompressionRatio:N0} times what was sent, the most allowed. Send it with less compression, or raise `Intake:MaxCompressionRatio`.");
        return read;
    }

    public sealed override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public sealed override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A body is read asynchronously.");

    public override void Flush() => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) Window.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Gives the next decompressed bytes; 0 only where the compressed data and the body end together.</summary>
    private protected abstract ValueTask<int> DecompressAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    private protected RequestFaultException Invalid(string what, Exception? revealedBy = null) => new BodyPosition(_bytes, null, null).Fault(
        RequestFaultCodes.InvalidEncoding,
        string.Create(CultureInfo.InvariantCulture, $"{what} (about {UsedBytes:N0} bytes into the body as sent, which gave {_bytes:N0} bytes). Compress it anew, or send it without Content-Encoding."),
        revealedBy);

    private RequestFaultException TooLarge(FormattableString limit) => new BodyPosition(_bytes, null, null).Fault(
        RequestFaultCodes.BodyTooLarge, $"The body decompresses to more than {limit.ToString(CultureInfo.InvariantCulture)}");
}
