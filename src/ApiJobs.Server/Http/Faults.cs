using System.Data.Common;
using ApiJobs.Storage;

namespace ApiJobs.Server.Http;

/// <summary>Gives exceptions that no endpoint dealt with the status they mean; the problem answers before it write the body.</summary>
internal static class Faults
{
    private const string RetryAfterSeconds = "5";

    /// <summary>Answers a request that cannot be read with its 4xx, and one that meets a database that is away with 503. Others go on, as 500.</summary>
    public static void UseFaultStatuses(this WebApplication app) => app.Use(async (http, next) =>
    {
        if (!HasReadableHost(http.Request))
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        try
        {
            await next(http);
        }
        catch (BadHttpRequestException exception) when (!http.Response.HasStarted)
        {
            http.Response.Clear();
            http.Response.StatusCode = exception.StatusCode;
        }
        catch (IOException exception) when (!http.Response.HasStarted && exception.InnerException is OverflowException)
        {
            // How Kestrel says that a chunk of the body claims a size of 2 GiB or more; the connection is of no further use.
            http.Response.Clear();
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
        }
        catch (Exception exception) when (!http.Response.HasStarted && IsUnavailable(exception))
        {
            app.Logger.LogWarning(exception, "{Method} {Path} met a database, or an authority, that does not answer.", http.Request.Method, http.Request.Path);
            http.Response.Clear();
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            http.Response.Headers.RetryAfter = RetryAfterSeconds;
        }
    });

    // A Host that begins like an international name and is none ("xn--") throws whenever it is read.
    private static bool HasReadableHost(HttpRequest request)
    {
        try
        {
            _ = request.Host;
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    // Entity Framework wraps what the database throws, sometimes twice.
    private static bool IsUnavailable(Exception? exception) =>
        exception is not null && (exception is StoreUnavailableException or DbException || IsUnavailable(exception.InnerException));
}
