using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;

namespace ApiJobs.Server.OAuth;

/// <summary>The rules for clients' ids and secrets, which come from configuration, the command line and the wire.</summary>
internal static class ClientIds
{
    private const int MaxIdLength = 100, MinSecretLength = 32, MaxSecretLength = 256, GeneratedSecretBytes = 32;

    /// <summary>Whether every character is one that RFC 6749 (appendix A) allows in ids, secrets and scopes.</summary>
    /// <remarks>Others would be stored differently, or refused, by one database or the other: U+0000 above all.</remarks>
    public static bool IsVisibleAscii(string text) => text.All(character => character is >= ' ' and <= '~');

    /// <summary>Says what is wrong with a client's id, as the rest of a sentence; null if nothing is.</summary>
    public static string? FaultOf(string? clientId)
    {
        if (string.IsNullOrWhiteSpace(clientId))
            return "is missing. Set it to a short name of letters, digits and hyphens.";
        if (clientId.Length > MaxIdLength)
            return $"has {clientId.Length} characters; the limit is {MaxIdLength}.";
        return IsVisibleAscii(clientId) ? null : "has characters outside printable ASCII, which OAuth does not allow.";
    }

    /// <summary>Says what is wrong with a client's secret, as the rest of a sentence that does not show it; null if nothing is.</summary>
    public static string? SecretFaultOf(string? secret)
    {
        if (string.IsNullOrWhiteSpace(secret))
            return "is missing.";
        if (secret.Length is < MinSecretLength or > MaxSecretLength)
            return $"has {secret.Length} characters; use {MinSecretLength}…{MaxSecretLength}. Make one with: openssl rand -base64 32";
        return IsVisibleAscii(secret) ? null : "has characters outside printable ASCII, which OAuth does not allow.";
    }

    /// <summary>A client's id as the log may show it: whole unless a stranger made it longer than ids are.</summary>
    public static string Shorten(string clientId) => clientId.Length <= MaxIdLength ? clientId : $"{clientId[..MaxIdLength]}…";

    /// <summary>Makes a secret that cannot be guessed: 256 random bits.</summary>
    public static string NewSecret() => Base64UrlEncoder.Encode(RandomNumberGenerator.GetBytes(GeneratedSecretBytes));
}
