using ApiJobs.Server.Settings;
using OpenIddict.Server;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace ApiJobs.Server.OAuth;

/// <summary>Builds the URLs of the discovery document on the configured issuer, so that no Host header can point others elsewhere.</summary>
internal sealed class DiscoveryUrls(ServerSettings settings) : IOpenIddictServerHandler<HandleConfigurationRequestContext>
{
    public static OpenIddictServerHandlerDescriptor Descriptor { get; } =
        OpenIddictServerHandlerDescriptor.CreateBuilder<HandleConfigurationRequestContext>()
            .UseSingletonHandler<DiscoveryUrls>()
            .SetOrder(int.MinValue)
            .SetType(OpenIddictServerHandlerType.Custom)
            .Build();

    public ValueTask HandleAsync(HandleConfigurationRequestContext context)
    {
        if (settings.OAuth.IssuerUri is { Scheme: "http" or "https" } issuer)
        {
            var root = issuer.AbsoluteUri.TrimEnd('/');
            context.TokenEndpoint = new($"{root}/{OAuthSetup.TokenPath}");
            context.JsonWebKeySetEndpoint = new($"{root}/{OAuthSetup.JwksPath}");
        }

        return ValueTask.CompletedTask;
    }
}
