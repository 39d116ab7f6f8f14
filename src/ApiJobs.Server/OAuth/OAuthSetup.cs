using System.Security.Cryptography;
using System.Xml.Linq;
using ApiJobs.Server.Settings;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Server;
using OpenIddict.Validation;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace ApiJobs.Server.OAuth;

/// <summary>Puts OAuth together: the built-in issuer, or trust in an external one; and the check of every token.</summary>
internal static class OAuthSetup
{
    /// <summary>Where tokens are issued, at the root and under the base path.</summary>
    public const string TokenPath = "oauth/token";

    /// <summary>Where the public keys are.</summary>
    public const string JwksPath = ".well-known/jwks";

    /// <summary>Adds authentication by bearer tokens, and their issuer unless an external authority is configured.</summary>
    public static void AddOAuth(this IServiceCollection services, ServerSettings settings)
    {
        var openIddict = services.AddOpenIddict();
        if (settings.OAuth.UsesExternalAuthority)
        {
            TrustAuthority(openIddict, settings.OAuth);
        }
        else
        {
            services.AddOAuthStores(settings);
            services.AddSingleton<ClientStatus>();
            services.AddSingleton(settings.Limits);
            services.AddSingleton<TokenRequestLimits>();
            services.AddSingleton<LimitLog>();
            services.AddScoped<ApiClients>();
            services.AddHostedService<SigningKeyRefresh>();
            services.AddSingleton<ServerSigningKeys>();
            services.AddSingleton<IConfigureOptions<OpenIddictServerOptions>>(provider => provider.GetRequiredService<ServerSigningKeys>());
            services.AddSingleton<IOptionsChangeTokenSource<OpenIddictServerOptions>>(provider => provider.GetRequiredService<ServerSigningKeys>());
            services.AddSingleton<IOptionsChangeTokenSource<OpenIddictValidationOptions>, ValidationSigningKeys>();
            IssueTokens(openIddict, settings);
            services.AddIssuerRequests();
            openIddict.AddValidation(validation => validation.UseLocalServer());

            // After OpenIddict's own, which sorts.
            services.AddSingleton<IPostConfigureOptions<OpenIddictServerOptions>>(provider => provider.GetRequiredService<ServerSigningKeys>());
        }

        openIddict.AddValidation(validation =>
        {
            validation.AddAudiences(settings.OAuth.Audience);
            validation.Configure(options => PinTokens(options.TokenValidationParameters, settings.OAuth));
        });
        services.AddSingleton<AccessTokens>();

        // ASP.NET Core's authentication brings data protection along; nothing here uses it, so its keys need no place.
        services.Configure<KeyManagementOptions>(options => options.XmlRepository = new NoRepository());
        services.AddAuthentication(BearerAuthentication.Scheme)
            .AddScheme<AuthenticationSchemeOptions, BearerAuthentication>(BearerAuthentication.Scheme, configureOptions: null);
        services.AddAuthorization();
    }

    /// <summary>Adds what operators' commands need of OAuth: clients and keys, no HTTP.</summary>
    public static void AddOAuthStores(this IServiceCollection services, ServerSettings settings)
    {
        services.AddSingleton(settings);
        services.AddSingleton(settings.OAuth);
        services.AddSingleton(TimeProvider.System);
        services.AddDbContextFactory<OAuthDbContext>(options => OAuthDbContext.UseDatabase(options, settings.Storage));
        services.AddSingleton<SigningKeyProtection>();
        services.AddSingleton<SigningKeyRing>();
        services.AddScoped<ClientRegistry>();
        services.AddOpenIddict().AddCore(core => core.UseEntityFrameworkCore()
            .UseDbContext<OAuthDbContext>()
            .ReplaceDefaultEntities<ApiClient, ApiAuthorization, ApiScope, ApiToken, string>());
    }

    private static void IssueTokens(OpenIddictBuilder openIddict, ServerSettings settings) => openIddict.AddServer(server =>
    {
        server.SetIssuer(settings.OAuth.IssuerUri);
        server.SetTokenEndpointUris([.. new[] { TokenPath, $"{settings.Http.BasePath.TrimStart('/')}/{TokenPath}".TrimStart('/') }.Distinct()]);
        server.SetJsonWebKeySetEndpointUris(JwksPath);
        server.AllowClientCredentialsFlow();
        server.RegisterScopes([.. Scopes.All]);

        // The endpoint checks the client's scopes: OpenIddict would call one too many invalid_request, RFC 6749 invalid_scope.
        server.IgnoreScopePermissions();
        server.SetAccessTokenLifetime(settings.OAuth.TokenLifetime);

        // Tokens are signed, self-contained and not stored; revocation is the clients' (ClientStatus).
        server.DisableAccessTokenEncryption();
        server.DisableTokenStorage();
        server.DisableAuthorizationStorage();

        // OpenIddict insists on an encryption key, though nothing is encrypted; one that nobody knows will do.
        server.AddEncryptionKey(new SymmetricSecurityKey(RandomNumberGenerator.GetBytes(32)));
        server.Configure(options =>
        {
            options.Scopes.Remove(OpenIddict.Abstractions.OpenIddictConstants.Scopes.OpenId);
            options.ClientAuthenticationMethods.Remove(ClientAuthenticationMethods.PrivateKeyJwt);
        });

        // It would write a claim of OpenIddict's own into every token; client_id says the same.
        server.RemoveEventHandler(OpenIddictServerHandlers.AttachDefaultPresenters.Descriptor);
        server.RemoveEventHandler(TokenRequestReader.FormReader);
        server.AddEventHandler(TokenRequestReader.Descriptor);
        server.AddEventHandler(TokenRequestRules.Descriptor);
        server.RemoveEventHandler(OpenIddictServerHandlers.ValidateClientId.Descriptor);
        server.RemoveEventHandler(OpenIddictServerHandlers.ValidateClientSecret.Descriptor);
        server.AddEventHandler(ClientAuthentication.Descriptor);
        server.AddEventHandler(TokenAnswer.Descriptor);
        server.AddEventHandler(DiscoveryUrls.Descriptor);

        // TLS usually ends at a proxy in front of this process.
        server.UseAspNetCore().DisableTransportSecurityRequirement().SetRealm(BearerAuthentication.RealmName).SuppressJsonResponseIndentation().EnableTokenEndpointPassthrough();
    });

    private static void TrustAuthority(OpenIddictBuilder openIddict, OAuthSettings settings) => openIddict.AddValidation(validation =>
    {
        validation.SetIssuer(settings.IssuerUri);
        validation.UseSystemNetHttp();
    });

    // RFC 8725: the algorithm is ours to choose, never the token's. OpenIddict by itself accepts tokens without expiry.
    private static void PinTokens(TokenValidationParameters parameters, OAuthSettings settings)
    {
        parameters.ValidAlgorithms = settings.UsesExternalAuthority
            ? [Algorithms.RsaSha256, Algorithms.RsaSsaPssSha256, Algorithms.EcdsaSha256]
            : [Algorithms.RsaSha256];
        parameters.ValidateLifetime = true;
        parameters.RequireExpirationTime = true;
        parameters.RequireSignedTokens = true;
        parameters.ClockSkew = OAuthSettings.ClockSkew;
        parameters.TryAllIssuerSigningKeys = false;
        parameters.TypeValidator = RequireAccessToken;
    }

    // In place of OpenIddict's validator, which lets a claim of its own (token_usage) speak for the header.
    private static string RequireAccessToken(string type, SecurityToken token, TokenValidationParameters parameters)
    {
        if (parameters.ValidTypes?.Contains(type, StringComparer.OrdinalIgnoreCase) != true)
            throw new SecurityTokenInvalidTypeException("The token is not an access token.") { InvalidType = type };

        // RFC 7515 §4.1.11: who does not understand what is critical must refuse. Nothing of the kind is understood here.
        if (((JsonWebToken)token).TryGetHeaderValue<object>("crit", out _))
            throw new SecurityTokenInvalidTypeException("The token's header names something critical that is not understood.") { InvalidType = type };
        return JsonWebTokenTypes.AccessToken;
    }

    private sealed class NoRepository : IXmlRepository
    {
        public IReadOnlyCollection<XElement> GetAllElements() => [];

        public void StoreElement(XElement element, string friendlyName)
        {
        }
    }
}
