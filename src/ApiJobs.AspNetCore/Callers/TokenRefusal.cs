using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Callers;

/// <summary>What is wrong with a request's access token.</summary>
public enum TokenFault
{
    /// <summary>There is none.</summary>
    Missing,

    /// <summary>What was sent does not have the form of one.</summary>
    Malformed,

    /// <summary>It is not one that is accepted here, or not any more.</summary>
    Invalid,

    /// <summary>It was accepted until its time ran out.</summary>
    Expired,

    /// <summary>The client it was issued to may not call any more.</summary>
    Revoked,
}

/// <summary>Why a request is answered with 401, and how its sender mends it.</summary>
/// <remarks>
/// An application's authentication that knows more than the Authorization header shows sets this as a feature of the request:
/// <c>context.Features.Set(new TokenRefusal(TokenFault.Expired, "…"))</c>.
/// </remarks>
/// <param name="Fault">What is wrong.</param>
/// <param name="Detail">Sentences for people: what is wrong and the next step.</param>
public sealed record TokenRefusal(TokenFault Fault, string Detail)
{
    private const string Bearer = "Bearer";
    private const string HowToSend = "Send it as 'Authorization: Bearer ' and the token.";

    /// <summary>The refusal of a request whose caller is not known: as the application set it, or as the Authorization header shows.</summary>
    public static TokenRefusal Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<TokenRefusal>() ?? OfHeader([.. context.Request.Headers.Authorization]);
    }

    /// <summary>The value of the header <c>WWW-Authenticate</c> (RFC 6750, section 3).</summary>
    /// <param name="realm">What is protected; null leaves it out.</param>
    public string Challenge(string? realm = null)
    {
        // A request without a token gets no error code.
        string?[] parameters =
        [
            realm is null ? null : $"realm=\"{realm}\"",
            Fault == TokenFault.Missing ? null : $"error=\"invalid_token\", error_description=\"{string.Concat(Detail.Select(HeaderCharacter))}\"",
        ];
        return $"{Bearer} {string.Join(", ", parameters.OfType<string>())}".TrimEnd();
    }

    private static TokenRefusal OfHeader(string?[] sent)
    {
        if (sent is not [{ Length: > 0 } header, ..])
            return new(TokenFault.Missing, $"The request has no access token. {HowToSend}");
        if (sent.Length > 1)
            return Malformed("There are several Authorization headers.");
        if (header.Split(' ', StringSplitOptions.RemoveEmptyEntries) is not [var scheme, .. var rest])
            return new(TokenFault.Missing, $"The Authorization header is empty. {HowToSend}");

        return (scheme.Equals(Bearer, StringComparison.OrdinalIgnoreCase), rest) switch
        {
            (true, []) => Malformed("The Authorization header has the word Bearer and no token."),
            (true, [_]) => new(TokenFault.Invalid, "The access token is not valid here. Get a new token, and send the request again."),
            (true, _) => Malformed("After the word Bearer there must be one token."),
            (false, []) when IsLikeToken(scheme) => Malformed("The Authorization header has a token without the word Bearer before it."),
            (false, [var token, ..]) when IsLikeToken(token) && token.Contains('.', StringComparison.Ordinal) =>
                Malformed($"The Authorization header has a token after '{Shown(scheme)}' instead of 'Bearer'."),
            _ => new(TokenFault.Missing, $"The Authorization header is of the scheme '{Shown(scheme)}', which is not read here. Get an access token. {HowToSend}"),
        };
    }

    private static TokenRefusal Malformed(string detail) => new(TokenFault.Malformed, $"{detail} {HowToSend}");

    // The names of schemes are short words; tokens are long, and most are JSON Web Tokens, which have dots.
    private static bool IsLikeToken(string word) => word.Length >= 20 || word.Contains('.', StringComparison.Ordinal);

    private static string Shown(string word) => word.Length <= 20 ? word : $"{word[..20]}...";

    // What RFC 6750 allows in a description.
    private static char HeaderCharacter(char character) => character switch
    {
        '"' or '\\' => '\'',
        < ' ' or > '~' => '?',
        _ => character,
    };
}
