using System.Security.Claims;
using ApiJobs.Server.OpenApi;
using ApiJobs.Server.Settings;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Mvc;
using OpenIddict.Abstractions;
using OpenIddict.Core;
using OpenIddict.Server.AspNetCore;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace ApiJobs.Server.OAuth;

/// <summary>Issues access tokens to clients (RFC 6749 §4.4). OpenIddict has read the request and checked secret and scopes before.</summary>
internal static class TokenEndpoint
{
    /// <summary>Maps the endpoint at <c>/oauth/token</c> and under the API's base path.</summary>
    public static void MapTokenEndpoint(this IEndpointRouteBuilder routes, HttpSettings http)
    {
        foreach (var path in new[] { $"/{OAuthSetup.TokenPath}", $"{http.BasePath}/{OAuthSetup.TokenPath}" }.Distinct())
        {
            var endpoint = routes.MapPost(path, IssueAsync)
                .WithMetadata(new RequestSizeLimitAttribute(TokenRequestReader.MaxBodyBytes));
            if (path == $"/{OAuthSetup.TokenPath}")
                endpoint.DescribeTokens();
            else
                endpoint.ExcludeFromDescription();
        }
    }

    private static async Task<IResult> IssueAsync(
        HttpContext http, OpenIddictApplicationManager<ApiClient> clients, ClientRegistry registry, OAuthSettings settings, CancellationToken cancellationToken)
    {
        // OpenIddict passes over a request with a Host that makes no URL.
        if (http.GetOpenIddictServerRequest() is not { } request)
            return Results.BadRequest();
        if (await clients.FindByClientIdAsync(request.ClientId!, cancellationToken) is not { RevokedAt: null } client)
            return Refuse(Errors.InvalidClient, "The client was revoked.");

        // Who asks for nothing in particular gets all that the client may have (RFC 6749 §3.3).
        var allowed = await registry.ScopesOfAsync(client, cancellationToken);
        var granted = request.Scope is null ? allowed : request.GetScopes();
        if (granted.FirstOrDefault(scope => !allowed.Contains(scope)) is { } denied)
            return Refuse(Errors.InvalidScope, $"The client may not ask for the scope '{denied}'. It may ask for: {string.Join(' ', allowed)}.");

        var identity = new ClaimsIdentity(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
        identity.SetClaim(Claims.Subject, client.ClientId);
        identity.SetClaim(Caller.CompanyIdClaim, client.CompanyId.ToString());
        identity.SetScopes(granted);
        identity.SetResources(settings.Audience);
        identity.SetDestinations(static _ => [Destinations.AccessToken]);
        return Results.SignIn(new(identity), authenticationScheme: OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
    }

    private static IResult Refuse(string error, string description) =>
        Results.Forbid(
            new AuthenticationProperties(new Dictionary<string, string?>
            {
                [OpenIddictServerAspNetCoreConstants.Properties.Error] = error,
                [OpenIddictServerAspNetCoreConstants.Properties.ErrorDescription] = description,
            }),
            [OpenIddictServerAspNetCoreDefaults.AuthenticationScheme]);
}
