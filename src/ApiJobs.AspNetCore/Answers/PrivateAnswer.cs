using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Answers;

/// <summary>What every answer says of itself unless its endpoint knows better.</summary>
internal static class PrivateAnswer
{
    /// <summary>Keeps an answer, which holds a company's data or may, out of every cache, and a browser from taking it for another type.</summary>
    public static void KeepPrivate(this HttpResponse response)
    {
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
    }

    /// <summary>Lets the client keep its job's answer, and check it before each use.</summary>
    /// <remarks>
    /// An ended job never changes, but a token may end. The check costs no body, and one client's cache cannot show a
    /// company's job to another's token.
    /// </remarks>
    public static void KeepChecked(this HttpResponse response) => response.Headers.CacheControl = "private, no-cache";
}
