using OpenIddict.EntityFrameworkCore.Models;

namespace ApiJobs.Server.OAuth;

/// <summary>An OAuth client: an integrator's program, which acts for one company.</summary>
internal sealed class ApiClient : OpenIddictEntityFrameworkCoreApplication<string, ApiAuthorization, ApiToken>
{
    /// <summary>The company whose records the client may see.</summary>
    public Guid CompanyId { get; set; }

    /// <summary>When the client was revoked, UTC; null while it may be used. The row stays, so that its id is not made again at start.</summary>
    public DateTimeOffset? RevokedAt { get; set; }
}

/// <summary>OpenIddict's entity for consent; client credentials need none, so its table stays empty.</summary>
internal sealed class ApiAuthorization : OpenIddictEntityFrameworkCoreAuthorization<string, ApiClient, ApiToken>;

/// <summary>OpenIddict's entity for scopes beyond those in <see cref="Scopes"/>; its table stays empty.</summary>
internal sealed class ApiScope : OpenIddictEntityFrameworkCoreScope<string>;

/// <summary>OpenIddict's entity for stored tokens; ours are self-contained, so its table stays empty.</summary>
internal sealed class ApiToken : OpenIddictEntityFrameworkCoreToken<string, ApiClient, ApiAuthorization>;

/// <summary>A key that signs access tokens, as it is stored.</summary>
internal sealed class StoredSigningKey
{
    /// <summary>Consecutive from 1; the highest one signs. Being the primary key, it decides which of several nodes makes the next key.</summary>
    public int Generation { get; set; }

    /// <summary>The key's id in tokens and in the JWKS: its RFC 7638 thumbprint.</summary>
    public string Kid { get; set; } = "";

    /// <summary>The private key as PKCS #8, encrypted if <see cref="IsEncrypted"/>.</summary>
    public byte[] PrivateKey { get; set; } = [];

    /// <summary>Whether <see cref="PrivateKey"/> is encrypted with <c>OAuth:KeyEncryptionKey</c>.</summary>
    public bool IsEncrypted { get; set; }

    /// <summary>When the key was made, UTC.</summary>
    public DateTimeOffset CreatedAt { get; set; }
}
