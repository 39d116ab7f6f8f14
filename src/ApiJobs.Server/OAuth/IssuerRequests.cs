using ApiJobs.Server.Settings;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using OpenIddict.Server.AspNetCore;

namespace ApiJobs.Server.OAuth;

/// <summary>Shows OpenIddict's server the requests for its own addresses, and only those: left to itself it examines every request, which would cost the API a third of its speed.</summary>
internal static class IssuerRequests
{
    /// <summary>Keeps OpenIddict out of the authentication of other requests.</summary>
    public static void AddIssuerRequests(this IServiceCollection services) =>
        services.AddSingleton<IAuthenticationSchemeProvider, NoRequestHandlers>();

    /// <summary>Lets OpenIddict answer what is its own: bad token requests, discovery and keys. Good token requests go on to <see cref="TokenEndpoint"/>.</summary>
    public static void UseIssuer(this WebApplication app, HttpSettings settings)
    {
        PathString[] own = ["/oauth", "/.well-known", $"{settings.BasePath}/oauth"];
        app.UseWhen(http => Array.Exists(own, path => http.Request.Path.StartsWithSegments(path)), branch => branch.Use(async (http, next) =>
        {
            http.Response.Headers.XContentTypeOptions = "nosniff";
            var handlers = http.RequestServices.GetRequiredService<IAuthenticationHandlerProvider>();
            var issuer = await handlers.GetHandlerAsync(http, OpenIddictServerAspNetCoreDefaults.AuthenticationScheme) as IAuthenticationRequestHandler;
            if (issuer is null || !await issuer.HandleRequestAsync())
                await next(http);
        }));
    }

    private sealed class NoRequestHandlers(IOptions<AuthenticationOptions> options) : AuthenticationSchemeProvider(options)
    {
        public override Task<IEnumerable<AuthenticationScheme>> GetRequestHandlerSchemesAsync() => Task.FromResult(Enumerable.Empty<AuthenticationScheme>());
    }
}
