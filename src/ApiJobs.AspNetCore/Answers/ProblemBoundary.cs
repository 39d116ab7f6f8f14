using System.Globalization;
using ApiJobs.Intake;
using ApiJobs.Storage;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ApiJobs.AspNetCore.Answers;

/// <summary>Keeps answers private, and answers refusals and faults with problems, in one place. What it does not know is a bug, and goes on to the application.</summary>
internal sealed class ProblemBoundary(RequestDelegate inside)
{
    private const int StoreRetrySeconds = 5;

    // Somebody has to make room, or retention.
    private const int DiskRetrySeconds = 60;

    public async Task InvokeAsync(HttpContext context)
    {
        context.Response.KeepPrivate();
        try
        {
            await inside(context);
        }
        catch (Exception exception) when (context.Response.HasStarted && !IsHangUp(exception, context))
        {
            // What was sent of the answer must not look like all of it: the connection is broken off, never ended.
            Logger(context).LogWarning(exception, "The answer to {Method} {Path} was broken off.", context.Request.Method, context.Request.Path);
            context.Abort();
        }
        catch (ProblemException exception)
        {
            await exception.Problem.WriteAsync(context);
        }
        catch (RequestFaultException exception)
        {
            await Problems.Of(exception.Fault).WriteAsync(context);
        }
        catch (StoreUnavailableException exception) when (exception.IsDiskLow)
        {
            Logger(context).LogWarning(exception, "The store has no room for {Method} {Path}.", context.Request.Method, context.Request.Path);
            await Problems.DiskLow.With(
                "The server's disk is nearly full, and nothing more is accepted; the jobs that are there go on. Send the request again after the seconds that Retry-After says.",
                ("Retry-After", DiskRetrySeconds.ToString(CultureInfo.InvariantCulture))).WriteAsync(context);
        }
        catch (StoreUnavailableException exception)
        {
            Logger(context).LogWarning(exception, "The store cannot serve {Method} {Path} now.", context.Request.Method, context.Request.Path);
            await Problems.Unavailable.With(
                "The store cannot serve now. Send the request again after the seconds that Retry-After says.",
                ("Retry-After", StoreRetrySeconds.ToString(CultureInfo.InvariantCulture))).WriteAsync(context);
        }
        catch (Exception exception) when (IsHangUp(exception, context))
        {
            // Nobody is there to answer, and a client may go whenever it likes: no one needs to be told.
            Logger(context).LogDebug(exception, "The client of {Method} {Path} hung up.", context.Request.Method, context.Request.Path);
            if (!context.Response.HasStarted)
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (BadHttpRequestException exception)
        {
            await OfTransport(exception).WriteAsync(context);
        }
        catch (IOException exception) when (exception.InnerException is OverflowException)
        {
            // What Kestrel throws for the size of a chunk beyond its numbers; of other sizes it says itself that they are bad.
            await Problems.BadRequest.With("The size of a chunk of the body is not a number that can be one. Mend the client's chunked encoding.").WriteAsync(context);
        }
    }

    private static bool IsHangUp(Exception exception, HttpContext context) =>
        exception is ConnectionResetException or ConnectionAbortedException
        || (exception is IOException or OperationCanceledException && context.RequestAborted.IsCancellationRequested);

    private static Problem OfTransport(BadHttpRequestException exception) =>
        exception.StatusCode == StatusCodes.Status400BadRequest
            ? Problems.BadRequest.With(exception.Message)
            : Problems.OfStatus(exception.StatusCode);

    private static ILogger Logger(HttpContext context) =>
        context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("ApiJobs.AspNetCore");
}
