using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ApiJobs.Server.Http;

/// <summary>Closes connections that send nothing. Kestrel by itself waits for the first byte as long as for a request after another: 130 seconds.</summary>
internal static class FirstByte
{
    /// <summary>Aborts a connection whose first byte has not come in time. With TLS it is the first byte of the handshake, which has a limit of its own.</summary>
    public static void RequireFirstByte(this ListenOptions listen, TimeSpan limit) => listen.Use(next => async connection =>
    {
        if (await HasFirstByteAsync(connection, limit))
            await next(connection);
        else
            connection.Abort(new ConnectionAbortedException("Nothing was sent in time."));
    });

    private static async Task<bool> HasFirstByteAsync(ConnectionContext connection, TimeSpan limit)
    {
        using var deadline = new CancellationTokenSource(limit);
        try
        {
            // Neither consumed nor examined, so that whoever reads next gets the same bytes at once.
            var result = await connection.Transport.Input.ReadAsync(deadline.Token);
            connection.Transport.Input.AdvanceTo(result.Buffer.Start);
            return true;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return false;
        }
    }
}
