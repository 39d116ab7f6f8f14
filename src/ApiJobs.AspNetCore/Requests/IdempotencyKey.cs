using System.Text;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.Jobs;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Requests;

/// <summary>Marks an endpoint whose requests make or change a job: to send one twice is to do its work twice, unless it has a key.</summary>
internal sealed class ChangesJobs;

/// <summary>The header <c>Idempotency-Key</c>: under the same key, the same request may be sent again and gets the same job.</summary>
/// <remarks>A string as structured fields have it (RFC 8941, section 3.3.3), or the same key without quotes, as most clients send it.</remarks>
internal sealed record IdempotencyKey(string Text)
{
    public const string HeaderName = "Idempotency-Key";

    /// <summary>The guard's step that refuses a header which is no key, before anything is read or done.</summary>
    public static ValueTask<bool> CheckAsync(HttpContext context)
    {
        var sent = context.Request.Headers[HeaderName];
        if (sent.Count > 1)
            throw Invalid($"was sent {sent.Count} times; send it once");
        if (sent.Count == 1)
            context.Features.Set(new IdempotencyKey(Parse(sent.ToString())));
        return ValueTask.FromResult(true);
    }

    private static string Parse(string sent)
    {
        // Clients and proxies join headers of one name; which of the keys is meant, nobody can tell then.
        if (!sent.StartsWith('"') && sent.Contains(',', StringComparison.Ordinal))
            throw Invalid("has a comma: it may be two headers joined. Send one key; if the comma is part of it, put it into quotes");
        var key = sent.StartsWith('"') ? Unquoted(sent) : sent;
        if (key is null)
            throw Invalid("begins with a quote, but is not a quoted string: inside the quotes only \\\" and \\\\ may be escaped, and nothing may follow them");
        if (key.Length is 0 or > JobOrigin.MaxTextLength)
            throw Invalid($"has {key.Length} characters; send 1 to {JobOrigin.MaxTextLength}");
        return key.Any(char.IsControl) ? throw Invalid("has a control character") : key;
    }

    // RFC 8941, section 4.2.5; only ASCII is allowed between quotes.
    private static string? Unquoted(string sent)
    {
        var key = new StringBuilder(sent.Length);
        for (var i = 1; i < sent.Length; i++)
        {
            var character = sent[i];
            if (character == '"')
                return i == sent.Length - 1 ? key.ToString() : null;
            if (character == '\\' && (++i == sent.Length || (character = sent[i]) is not ('"' or '\\')))
                return null;
            if (character is < ' ' or > '~')
                return null;
            key.Append(character);
        }

        return null;
    }

    private static ProblemException Invalid(string what) => Problems.InvalidIdempotencyKey.Refusal(
        $"The header {HeaderName} {what}. A UUID of its own for every request is a good key: {HeaderName}: \"43dbbc35-d114-4da5-a1c0-6abbea6d7bf5\".");
}
