using System.Globalization;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.Intake;

namespace ApiJobs.AspNetCore.Bulk;

/// <summary>A request's body that refuses to be longer than the limit, counted in bytes as sent.</summary>
/// <remarks>
/// The server's own limit would do the same and then reset the connection, so that a client which is still sending
/// never sees the answer. Refused here, the server reads on for some seconds, and the client learns why.
/// </remarks>
internal sealed class BoundedBody(Stream body, long maxBytes, Func<Exception>? tooLarge = null) : BodyStream
{
    private long _readBytes;

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
}
