using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace ApiJobs.Server.OAuth;

/// <summary>Refuses credentials and scopes with characters that RFC 6749 does not allow, before a database sees them.</summary>
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
        return ValueTask.CompletedTask;
    }
}
