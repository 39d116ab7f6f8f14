using OpenIddict.Abstractions;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace ApiJobs.Server.OAuth;

/// <summary>Refuses credentials and scopes with characters that RFC 6749 does not allow before a database sees them, and requests without credentials by the RFC's name for it.</summary>
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
        return ValueTask.CompletedTask;
    }
}
