using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>An answer that goes on: <c>text/event-stream</c>, as the HTML standard defines it (section 9.2, Server-sent events).</summary>
internal sealed class EventStream(HttpContext context, TimeProvider time)
{
    // How long a client may take nothing at all before the stream is cut off.
    private static readonly TimeSpan WritePatience = TimeSpan.FromSeconds(30);

    private static readonly ReadOnlyMemory<byte> Comment = ":\n\n"u8.ToArray();

    private long _wrote;

    /// <summary>How long ago anything was written.</summary>
    public TimeSpan Silence => time.GetElapsedTime(_wrote);

    /// <summary>Makes the bytes of an event.</summary>
    /// <param name="name">Its type.</param>
    /// <param name="id">What a client sends as <c>Last-Event-ID</c> when it connects again.</param>
    /// <param name="data">JSON, which has no line breaks.</param>
    public static ReadOnlyMemory<byte> Event(string name, string id, ReadOnlySpan<byte> data) =>
        (byte[])[.. Encoding.UTF8.GetBytes($"event: {name}\nid: {id}\ndata: "), .. data, (byte)'\n', (byte)'\n'];

    /// <summary>Sets the headers, and keeps everything out of the way that would hold bytes back or end the stream.</summary>
    public void Begin()
    {
        var response = context.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache, no-store";
        // nginx and those who took it over from it collect what they forward, unless they are told not to.
        response.Headers["X-Accel-Buffering"] = "no";
        var features = context.Features;
        features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
        // An event is small and seldom: it is the silence of the reader that is bounded here, not its speed.
        if (features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
            rate.MinDataRate = null;
        _wrote = time.GetTimestamp();
    }

    /// <summary>Tells the client when to connect again after the stream.</summary>
    public Task WriteRetryAsync(TimeSpan after, CancellationToken stopping) =>
        WriteAsync(Encoding.UTF8.GetBytes($"retry: {(long)after.TotalMilliseconds}\n\n"), stopping);

    /// <summary>Writes what keeps a silent stream alive.</summary>
    public Task WriteCommentAsync(CancellationToken stopping) => WriteAsync(Comment, stopping);

    /// <summary>Writes an event.</summary>
    /// <param name="bytes">The event.</param>
    /// <param name="stopping">Cuts off a client that does not take it at once.</param>
    /// <exception cref="ConnectionAbortedException">The client took nothing for too long.</exception>
    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken stopping)
    {
        var writing = context.Response.Body.WriteAsync(bytes, context.RequestAborted);
        if (writing.IsCompleted)
            await writing;
        else
            await WriteSlowlyAsync(writing.AsTask(), stopping);
        _wrote = time.GetTimestamp();
    }

    private async Task WriteSlowlyAsync(Task writing, CancellationToken stopping)
    {
        try
        {
            await writing.WaitAsync(WritePatience, time, stopping);
        }
        catch (Exception exception) when (!writing.IsCompleted && exception is TimeoutException or OperationCanceledException)
        {
            context.Abort();
            throw new ConnectionAbortedException("The client of an event stream took nothing for too long.", exception);
        }
    }
}
