using OpenIddict.Abstractions;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace ApiJobs.Server.OAuth;

/// <summary>Refuses what RFC 6749 does not allow before a database sees it: characters in credentials and scopes, requests without credentials, a scope that is empty or is sent twice.</summary>
internal sealed class TokenRequestRules : IOpenIddictServerHandler<ValidateTokenRequestContext>
{
    public static OpenIddictServerHandlerDescriptor Descriptor { get; } =
        OpenIddictServerHandlerDescriptor.CreateBuilder<ValidateTokenRequestContext>()
            .UseSingletonHandler<TokenRequestRules>()
            .SetOrder(int.MinValue)
            .SetType(OpenIddictServerHandlerType.Custom)
            .Build();

    public ValueTask HandleAsync(ValidateTokenRequestContext context)
    {
        var request = context.Request;
        if (new[] { request.GrantType, request.ClientId, request.ClientSecret, request.Scope }.OfType<string>().Any(value => !ClientIds.IsVisibleAscii(value)))
            context.Reject(Errors.InvalidRequest, "The token request has characters outside printable ASCII.");
        else if (request.IsClientCredentialsGrantType() && (!request.HasParameter(Parameters.ClientId) || !request.HasParameter(Parameters.ClientSecret)))
            context.Reject(Errors.InvalidClient, "The token request has no client_id, or no client_secret.");

        // Neither may pass for "no scope was asked for", which grants all that the client has.
        else if (request.GetParameter(Parameters.Scope) is { } scope && (string?)scope is null)
            context.Reject(Errors.InvalidRequest, "The token request has more than one scope parameter. Send one, with spaces between the scopes.");
        else if (request.Scope is { } scopes && string.IsNullOrWhiteSpace(scopes))
            context.Reject(Errors.InvalidScope, "The scope is empty. Name at least one, or leave the parameter out to get all that the client has.");
        return ValueTask.CompletedTask;
    }
}
