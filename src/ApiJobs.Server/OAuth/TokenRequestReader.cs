using System.Text.Json;
using Microsoft.AspNetCore;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using OpenIddict.Server.AspNetCore;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace ApiJobs.Server.OAuth;

/// <summary>Reads token requests sent as JSON, the CRM's way, beside the forms that OpenIddict knows.</summary>
internal sealed class TokenRequestReader : IOpenIddictServerHandler<ExtractTokenRequestContext>
{
    /// <summary>The largest body of a token request, in bytes. Credentials and scopes fit many times.</summary>
    public const int MaxBodyBytes = 16 * 1024;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 4 };

    /// <summary>Takes the place of OpenIddict's own reader, which this one calls for forms.</summary>
    public static OpenIddictServerHandlerDescriptor Descriptor { get; } =
        OpenIddictServerHandlerDescriptor.CreateBuilder<ExtractTokenRequestContext>()
            .UseSingletonHandler<TokenRequestReader>()
            .SetOrder(FormReader.Order)
            .SetType(OpenIddictServerHandlerType.Custom)
            .Build();

    /// <summary>OpenIddict's reader of forms.</summary>
    public static OpenIddictServerHandlerDescriptor FormReader => OpenIddictServerAspNetCoreHandlers.ExtractPostRequest<ExtractTokenRequestContext>.Descriptor;

    private readonly OpenIddictServerAspNetCoreHandlers.ExtractPostRequest<ExtractTokenRequestContext> _forms = new();

    public async ValueTask HandleAsync(ExtractTokenRequestContext context)
    {
        var request = context.Transaction.GetHttpRequest()!;
        if (!HttpMethods.IsPost(request.Method))
        {
            // Routing answers, with the methods that are allowed.
            context.SkipRequest();
            return;
        }

        try
        {
            if (request.HasJsonContentType())
                context.Transaction.Request = await ReadJsonAsync(request, context.CancellationToken);
            else
                await _forms.HandleAsync(context);
        }
        catch (Exception exception) when (exception is JsonException or InvalidDataException)
        {
            context.Reject(Errors.InvalidRequest, "The body is not a well-formed token request.");
        }
        catch (TokenRequestException exception)
        {
            context.Reject(Errors.InvalidRequest, exception.Message);
        }
    }

    private static async Task<OpenIddictRequest> ReadJsonAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        using var document = await JsonDocument.ParseAsync(request.Body, Strict, cancellationToken);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
            throw new TokenRequestException("The body must be a JSON object.");

        var token = new OpenIddictRequest();
        foreach (var member in document.RootElement.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.String)
                throw new TokenRequestException("Every member of the token request must be a string.");
            token.SetParameter(TextOf(() => member.Name), TextOf(() => member.Value.GetString()!));
        }

        return token;
    }

    // A lone surrogate passes the parser and is found only when the text is made.
    private static string TextOf(Func<string> make)
    {
        try
        {
            return make();
        }
        catch (InvalidOperationException)
        {
            throw new TokenRequestException("The token request has text that is not valid Unicode.");
        }
    }

    private sealed class TokenRequestException(string message) : Exception(message);
}
