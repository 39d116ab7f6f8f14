using ApiJobs.Server.Settings;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace ApiJobs.Server.OAuth;

/// <summary>Gives the token endpoint's answer the members, and their order, that the CRM's integrators know.</summary>
internal sealed class TokenAnswer(OAuthSettings settings) : IOpenIddictServerHandler<ApplyTokenResponseContext>
{
    public static OpenIddictServerHandlerDescriptor Descriptor { get; } =
        OpenIddictServerHandlerDescriptor.CreateBuilder<ApplyTokenResponseContext>()
            .UseSingletonHandler<TokenAnswer>()
            .SetOrder(int.MinValue)
            .SetType(OpenIddictServerHandlerType.Custom)
            .Build();

    public ValueTask HandleAsync(ApplyTokenResponseContext context)
    {
        var answer = context.Response;
        if (answer.Error is not null)
        {
            // It leads to OpenIddict's documentation, which does not know this server.
            answer.ErrorUri = null;
            return ValueTask.CompletedTask;
        }

        // RFC 6749 §5.1 wants the scope only where it is not the one that was asked for.
        var scope = context.Request?.Scope is null ? null : answer.Scope;
        context.Transaction.Response = new OpenIddictResponse
        {
            TokenType = answer.TokenType,
            // OpenIddict counts from now on, and a token of an hour would be one of 3599 seconds.
            ExpiresIn = (long)settings.TokenLifetime.TotalSeconds,
            AccessToken = answer.AccessToken,
            Scope = scope,
        };
        return ValueTask.CompletedTask;
    }
}
