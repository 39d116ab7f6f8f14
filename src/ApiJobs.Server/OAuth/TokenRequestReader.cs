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

        if (!request.HasJsonContentType())
        {
            await ReadFormAsync(context);
            return;
        }

        try
        {
            (context.Transaction.Request, var fault) = await ReadJsonAsync(request, context.CancellationToken);
            if (fault is not null)
                context.Reject(Errors.InvalidRequest, fault);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException is what the parser throws for text that is not valid Unicode.
            context.Reject(Errors.InvalidRequest, "The body is not well-formed JSON.");
        }
    }

    private async Task ReadFormAsync(ExtractTokenRequestContext context)
    {
        try
        {
            await _forms.HandleAsync(context);
        }
        catch (Exception exception) when (exception is InvalidDataException or NotSupportedException)
        {
            // Too many parameters, or too long ones; or a charset that .NET refuses to decode, UTF-7.
            context.Reject(Errors.InvalidRequest, "The body is not a form that a token request needs.");
        }
    }

    private static async Task<(OpenIddictRequest? Request, string? Fault)> ReadJsonAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        using var document = await JsonDocument.ParseAsync(request.Body, Strict, cancellationToken);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
            return (null, "The body must be a JSON object.");

        var token = new OpenIddictRequest();
        foreach (var member in document.RootElement.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.String)
                return (null, "Every member of a token request must be a string.");

            // Not SetParameter, which drops what is empty: an empty scope is not one that was left out.
            token.AddParameter(member.Name, member.Value.GetString());
        }

        return (token, null);
    }
}
