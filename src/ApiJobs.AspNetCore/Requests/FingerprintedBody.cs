using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Requests;

/// <summary>A request's body that is hashed as it is read, as it was sent: before it is decompressed.</summary>
/// <remarks>The fingerprint is SHA-256 over the method, the path, the query as sent, and all bytes of the body.</remarks>
internal sealed class FingerprintedBody : BodyStream
{
    private readonly Stream _body;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public FingerprintedBody(HttpRequest request, Stream body)
    {
        _body = body;
        // None of the parts before the body can contain a line break.
        var head = $"{request.Method}\n{request.PathBase.Add(request.Path).ToUriComponent()}\n{request.QueryString.Value}\n";
        _hash.AppendData(Encoding.UTF8.GetBytes(head));
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
        _hash.AppendData(buffer.Span[..count]);
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _hash.Dispose();
        base.Dispose(disposing);
    }
}
