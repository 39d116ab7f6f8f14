using System.ComponentModel.DataAnnotations;

namespace ApiJobs.Server.Settings;

/// <summary>Who says who is calling: the built-in token issuer, or an external authority. Configuration section <c>OAuth</c>.</summary>
internal sealed class OAuthSettings
{
    /// <summary>How far clocks may be apart when a token's times are judged.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    private const int KeyEncryptionKeyBytes = 32;

    /// <summary>
    /// The <c>iss</c> of the tokens the built-in issuer makes: the server's public URL, for example
    /// <c>https://bulk.example.com</c>. Needed only where others verify the tokens by discovery.
    /// </summary>
    /// <remarks>
    /// Left out, it is the constant <c>urn:apijobs</c>. It is never taken from a request: a Host header is the client's
    /// to choose, and all nodes over one database must accept each other's tokens.
    /// </remarks>
    public string? Issuer { get; set; }

    /// <summary>The <c>aud</c> that a token must have; the built-in issuer gives its tokens this one.</summary>
    public string Audience { get; set; } = "apijobs";

    /// <summary>How long a token of the built-in issuer is good for.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "1.00:00:00")]
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How old the signing key may get before the next one takes its place; at least as long as <see cref="TokenLifetime"/>.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan KeyRotation { get; set; } = TimeSpan.FromDays(30);

    /// <summary>
    /// Base64 of 32 bytes: private signing keys are encrypted with it (AES-256-GCM) before they are stored, so that a
    /// copy of the database does not let its holder make tokens. The same on every node. Left out, they are stored as
    /// they are, and whoever can read the database can make tokens.
    /// </summary>
    public string? KeyEncryptionKey { get; set; }

    /// <summary>A file that holds <see cref="KeyEncryptionKey"/>, as containers are given their secrets; read at start.</summary>
    public string? KeyEncryptionKeyFile { get; set; }

    /// <summary>
    /// The URL of an external OpenID provider to trust instead of the built-in issuer, whose endpoints are then gone.
    /// The provider's access tokens must be JWTs of the type <c>at+jwt</c> (RFC 9068).
    /// </summary>
    public string? Authority { get; set; }

    /// <summary>The claim of the external authority's tokens that holds the company's id, a UUID.</summary>
    public string CompanyClaim { get; set; } = "company_id";

    /// <summary>Whether an external authority takes the place of the built-in issuer.</summary>
    public bool UsesExternalAuthority => !string.IsNullOrWhiteSpace(Authority);

    /// <summary>The issuer whose tokens are accepted.</summary>
    public Uri IssuerUri => new(UsesExternalAuthority ? Authority! : string.IsNullOrWhiteSpace(Issuer) ? "urn:apijobs" : Issuer);

    /// <summary>The key that encrypts stored signing keys, or null.</summary>
    public byte[]? KeyEncryptionKeyOctets { get; private set; }

    /// <summary>Adds what is wrong to <paramref name="faults"/>.</summary>
    public void Check(List<string> faults)
    {
        CheckUrl("OAuth:Issuer", Issuer, faults);
        CheckUrl("OAuth:Authority", Authority, faults);
        if (UsesExternalAuthority && Uri.TryCreate(Authority, UriKind.Absolute, out var authority) && authority is { Scheme: "http", IsLoopback: false })
            faults.Add($"OAuth:Authority is '{Authority}'. Use https: over plain HTTP anyone on the way could make tokens. Plain HTTP is for an authority on this machine.");
        if (string.IsNullOrWhiteSpace(Audience))
            faults.Add("OAuth:Audience is empty. Set it to the audience that tokens must have, or leave it out for 'apijobs'.");
        if (string.IsNullOrWhiteSpace(CompanyClaim))
            faults.Add("OAuth:CompanyClaim is empty. Set it to the claim that holds the company's id, or leave it out for 'company_id'.");
        if (KeyRotation < TokenLifetime)
            faults.Add($"OAuth:KeyRotation is {KeyRotation}, shorter than a token lives. Set it to at least OAuth:TokenLifetime ({TokenLifetime}); the default is 30.00:00:00.");
        KeyEncryptionKeyOctets = ReadKey(faults);
    }

    private static void CheckUrl(string name, string? value, List<string> faults)
    {
        if (!string.IsNullOrWhiteSpace(value)
            && !(Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Query.Length == 0 && uri.Fragment.Length == 0))
        {
            faults.Add($"{name} is '{value}'. Set it to an http or https URL without query or fragment.");
        }
    }

    private byte[]? ReadKey(List<string> faults)
    {
        var (name, base64) = ("OAuth:KeyEncryptionKey", KeyEncryptionKey);
        if (!string.IsNullOrWhiteSpace(KeyEncryptionKeyFile))
        {
            if (!string.IsNullOrWhiteSpace(KeyEncryptionKey))
                faults.Add("OAuth:KeyEncryptionKey is set, and so is OAuth:KeyEncryptionKeyFile. Remove one of the two.");
            try
            {
                (name, base64) = ("OAuth:KeyEncryptionKeyFile", File.ReadAllText(KeyEncryptionKeyFile));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                faults.Add($"OAuth:KeyEncryptionKeyFile '{KeyEncryptionKeyFile}' cannot be read: {exception.Message}");
                return null;
            }
        }

        if (string.IsNullOrWhiteSpace(base64))
            return null;
        var key = new byte[base64.Length];
        if (Convert.TryFromBase64String(base64.Trim(), key, out var length) && length == KeyEncryptionKeyBytes)
            return key[..length];
        faults.Add($"{name} is not the base64 of {KeyEncryptionKeyBytes} bytes. Make one with: openssl rand -base64 {KeyEncryptionKeyBytes}");
        return null;
    }
}
