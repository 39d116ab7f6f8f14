using ApiJobs.AspNetCore.Answers;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Gives the answers that do not come from the API's endpoints the same form.</summary>
public static class ProblemAnswersExtensions
{
    /// <summary>
    /// Answers exceptions with a problem (RFC 9457), and gives one to every answer of 400 and above that has no body: an
    /// unknown path, a method that a path does not have, what other middleware refuses. Add it first.
    /// </summary>
    public static IApplicationBuilder UseProblemAnswers(this IApplicationBuilder app) => app
        .UseExceptionHandler(handler => handler.Run(context => Problems.OfStatus(context).WriteAsync(context)))
        .UseStatusCodePages(pages => Problems.OfStatus(pages.HttpContext).WriteAsync(pages.HttpContext));
}
