using ApiJobs.AspNetCore.Answers;
using ApiJobs.Resources;

namespace ApiJobs.AspNetCore.Requests;

/// <summary>An id in a path.</summary>
internal static class PathId
{
    /// <summary>Reads an id.</summary>
    /// <exception cref="ProblemException">It is not a UUID in its usual form.</exception>
    public static Guid Parse(string text) =>
        UuidText.TryRead(text, out var id)
            ? id
            : throw QueryParameter.Invalid($"'{QueryParameter.Shown(text)}' is not an id; ids are UUIDs, as 43dbbc35-d114-4da5-a1c0-6abbea6d7bf5.");
}
