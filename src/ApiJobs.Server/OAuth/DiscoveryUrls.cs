using ApiJobs.Server.Settings;
using OpenIddict.Server;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace ApiJobs.Server.OAuth;

/// <summary>
/// Builds the URLs of the discovery document on the configured issuer, so that no Host header can point others elsewhere. Without one there
/// are none: the standard has them absolute (RFC 8414 §2), and nobody but the Host header could say what they are.
/// </summary>
internal sealed class DiscoveryUrls(ServerSettings settings) : IOpenIddictServerHandler<HandleConfigurationRequestContext>
{
    // After OpenIddict's own, which build on the request's host.
    public static OpenIddictServerHandlerDescriptor Descriptor { get; } =
        OpenIddictServerHandlerDescriptor.CreateBuilder<HandleConfigurationRequestContext>()
            .UseSingletonHandler<DiscoveryUrls>()
            .SetOrder(int.MaxValue)
            .SetType(OpenIddictServerHandlerType.Custom)
            .Build();

    public ValueTask HandleAsync(HandleConfigurationRequestContext context)
    {
        var root = settings.OAuth.IssuerUri is { Scheme: "http" or "https" } issuer ? issuer.AbsoluteUri.TrimEnd('/') : null;
        context.TokenEndpoint = root is null ? null : new($"{root}/{OAuthSetup.TokenPath}");
        context.JsonWebKeySetEndpoint = root is null ? null : new($"{root}/{OAuthSetup.JwksPath}");
        return ValueTask.CompletedTask;
    }
}
