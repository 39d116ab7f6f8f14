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
}
