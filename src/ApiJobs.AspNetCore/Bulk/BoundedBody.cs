using System.Globalization;
using ApiJobs.Intake;

namespace ApiJobs.AspNetCore.Bulk;

/// <summary>A request's body that refuses to be longer than the limit, counted in bytes as sent.</summary>
/// <remarks>
/// The server's own limit would do the same and then reset the connection, so that a client which is still sending
/// never sees the answer. Refused here, the server reads on for some seconds, and the client learns why.
/// </remarks>
internal sealed class BoundedBody(Stream body, long maxBytes, Func<Exception>? tooLarge = null) : Stream
{
    private long _readBytes;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _readBytes;
        set => throw new NotSupportedException();
    }

    /// <summary>The fault of a body that is over the limit.</summary>
    public static RequestFaultException TooLarge(long maxBytes) => new(new(RequestFaultCodes.BodyTooLarge, string.Create(
        CultureInfo.InvariantCulture,
        $"The body is larger than {maxBytes:N0} bytes, the limit. Send it in several requests, or raise Intake:MaxBodyBytes.")));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await body.ReadAsync(buffer, cancellationToken);
        _readBytes += count;
        return _readBytes > maxBytes ? throw tooLarge?.Invoke() ?? TooLarge(maxBytes) : count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A body is read asynchronously.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }
}
