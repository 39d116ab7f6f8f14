using System.Globalization;
using System.Net;
using Microsoft.AspNetCore;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace ApiJobs.Server.OAuth;

/// <summary>Authenticates the client of a token request, within its limits. Takes the place of OpenIddict's handlers, whose answers tell which clients exist.</summary>
internal sealed class ClientAuthentication(ApiClients clients, TokenRequestLimits limits, LimitLog limitLog, ILogger<ClientAuthentication> logger)
    : IOpenIddictServerHandler<ProcessAuthenticationContext>
{
    public static OpenIddictServerHandlerDescriptor Descriptor { get; } =
        OpenIddictServerHandlerDescriptor.CreateBuilder<ProcessAuthenticationContext>()
            .UseScopedHandler<ClientAuthentication>()
            .SetOrder(OpenIddictServerHandlers.ValidateClientId.Descriptor.Order)
            .SetType(OpenIddictServerHandlerType.Custom)
            .Build();

    public async ValueTask HandleAsync(ProcessAuthenticationContext context)
    {
        // Both are there, and printable ASCII: TokenRequestRules has seen to it.
        var http = context.Transaction.GetHttpRequest()!.HttpContext;
        var caller = new TokenCaller(http.Connection.RemoteIpAddress ?? IPAddress.None, context.ClientId!);
        var (turn, retryAfter) = await limits.EnterAsync(caller, context.CancellationToken);
        if (turn is null)
        {
            limitLog.Tell(caller);
            http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            http.Response.Headers.RetryAfter = Math.Ceiling(Math.Max(1, retryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            context.HandleRequest();
            return;
        }

        using (turn)
        {
            if (await clients.FaultOfAsync(caller.ClientId, context.ClientSecret!, context.CancellationToken) is not { } fault)
                return;
            logger.LogWarning("Client '{ClientId}' at {Address} got no token: {Fault}.", ClientIds.Shorten(caller.ClientId), caller.Address, fault);
            context.Reject(Errors.InvalidClient, "There is no such client, or its secret is another one.");
        }
    }
}
