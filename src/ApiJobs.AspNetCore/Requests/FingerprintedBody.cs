using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Requests;

/// <summary>A request's body that is hashed as it is read, as it was sent: before it is decompressed.</summary>
/// <remarks>The fingerprint is SHA-256 over the method, the path, the query as sent, and all bytes of the body.</remarks>
internal sealed class FingerprintedBody : Stream
{
    private readonly Stream _body;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _readBytes;

    public FingerprintedBody(HttpRequest request, Stream body)
    {
        _body = body;
        // None of the parts before the body can contain a line break.
        var head = $"{request.Method}\n{request.PathBase.Add(request.Path).ToUriComponent()}\n{request.QueryString.Value}\n";
        _hash.AppendData(Encoding.UTF8.GetBytes(head));
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _readBytes;
        set => throw new NotSupportedException();
    }

    /// <summary>Reads the body to its end, which a reader of records or a decompressor may not have reached, and gives the fingerprint.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadFingerprintAsync(CancellationToken cancellationToken)
    {
        await CopyToAsync(Null, cancellationToken);
        return _hash.GetHashAndReset();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await _body.ReadAsync(buffer, cancellationToken);
        _readBytes += count;
        _hash.AppendData(buffer.Span[..count]);
        return count;
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

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _hash.Dispose();
        base.Dispose(disposing);
    }
}
