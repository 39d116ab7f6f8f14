using System.Data.Common;
using System.Diagnostics;
using ApiJobs.Storage;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;

namespace ApiJobs.Server.Http;

/// <summary>Makes every error answer a problem (RFC 9457) with a stable <c>code</c>, whatever the Accept header says.</summary>
internal static class Problems
{
    private const string RetryAfterSeconds = "5";

    /// <summary>Gives a code to problems that others make without one.</summary>
    public static void AddProblems(this IServiceCollection services) =>
        services.AddProblemDetails(options => options.CustomizeProblemDetails = context =>
            context.ProblemDetails.Extensions.TryAdd("code", ProblemCodes.Of(context.HttpContext.Response.StatusCode)));

    /// <summary>Answers exceptions, and statuses without a body, as problems. First in the pipeline.</summary>
    public static void UseProblems(this WebApplication app)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = AnswerExceptionAsync,
            // What the client did wrong, and a database that is away, are no faults of this program; the store's owner logs those.
            SuppressDiagnosticsCallback = context => StatusOf(context.Exception) < StatusCodes.Status500InternalServerError,
        });
        app.UseStatusCodePages(context => WriteAsync(context.HttpContext, context.HttpContext.Response.StatusCode, code: null, DetailOf(context.HttpContext)));
    }

    /// <summary>Writes a problem as the answer, unless the answer has begun.</summary>
    public static async Task WriteAsync(HttpContext http, int status, string? code, string? detail)
    {
        if (http.Response.HasStarted)
            return;
        http.Response.StatusCode = status;
        if (status == StatusCodes.Status503ServiceUnavailable)
            http.Response.Headers.RetryAfter = RetryAfterSeconds;
        var problem = new ProblemDetails { Type = "about:blank", Title = ReasonPhrases.GetReasonPhrase(status), Status = status, Detail = detail };
        problem.Extensions["code"] = code ?? ProblemCodes.Of(status);
        if (status == StatusCodes.Status500InternalServerError)
            problem.Extensions["trace_id"] = Activity.Current?.TraceId.ToHexString() ?? http.TraceIdentifier;
        await http.Response.WriteAsJsonAsync(problem, options: null, "application/problem+json");
    }

    private static Task AnswerExceptionAsync(HttpContext http)
    {
        var exception = http.Features.GetRequiredFeature<IExceptionHandlerFeature>().Error;
        var status = StatusOf(exception);
        return WriteAsync(http, status, code: null, status switch
        {
            StatusCodes.Status503ServiceUnavailable => "The server cannot reach what it needs to answer now. Send the same request again later.",
            >= 500 => "The server failed to answer. Its log has the details under this trace id.",
            StatusCodes.Status413PayloadTooLarge => TooLargeDetail(http),
            _ => exception.Message,
        });
    }

    private static int StatusOf(Exception exception) => exception switch
    {
        BadHttpRequestException bad => bad.StatusCode,
        _ when IsUnavailable(exception) => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };

    // Entity Framework wraps what the database throws, sometimes twice.
    private static bool IsUnavailable(Exception? exception) =>
        exception is not null && (exception is StoreUnavailableException or DbException || IsUnavailable(exception.InnerException));

    private static string? DetailOf(HttpContext http) => http.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => "There is nothing at this address.",
        StatusCodes.Status405MethodNotAllowed => $"This address does not take {http.Request.Method}; it takes {http.Response.Headers.Allow}.",
        StatusCodes.Status413PayloadTooLarge => TooLargeDetail(http),
        _ => null,
    };

    private static string TooLargeDetail(HttpContext http) =>
        http.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize is { } limit
            ? $"The body is larger than {limit} bytes, the limit at this address."
            : "The body is larger than the limit at this address.";
}
