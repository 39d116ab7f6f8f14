using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ApiJobs.AspNetCore.Requests;

/// <summary>What a client says that it has already.</summary>
internal static class KnownTags
{
    /// <summary>Whether a client has the answer with this tag.</summary>
    /// <remarks>If-None-Match compares weakly (RFC 9110, section 13.1.2): W/ in front of a tag makes no difference.</remarks>
    public static bool Knows(this HttpRequest request, EntityTagHeaderValue entityTag) =>
        EntityTagHeaderValue.TryParseList(request.Headers.IfNoneMatch, out var known)
        && known.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || tag.Compare(entityTag, useStrongComparison: false));
}
