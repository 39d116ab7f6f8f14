using Scalar.AspNetCore;

namespace ApiJobs.Server.Http;

/// <summary><c>/docs</c>: a page to browse the API and try it, made of the OpenAPI document. Open, as the document is.</summary>
internal static class DocsPage
{
    /// <summary>Maps the page. Its script comes from the server itself, and it talks to nobody else: in the browser, the policy sees to that.</summary>
    public static void MapDocsPage(this WebApplication app) => app
        .MapScalarApiReference("/docs", options =>
        {
            options.Title = "ApiJobs";
            options.OpenApiRoutePattern = "/openapi/{documentName}.json";
            options.DynamicNonce = true;
            options.DefaultFonts = false;
            options.Telemetry = false;
            options.ProxyUrl = null;
            options.HideClientButton = true; // It leads to the makers' own site.
            options.ShowDeveloperTools = DeveloperToolsVisibility.Never;
            options.DisableAgent().DisableMcp();
        })
        .AllowAnonymous()
        .Finally(endpoint =>
        {
            var page = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = http =>
            {
                // The page shows whatever document its path names; there is one, which is shown without a name.
                if (http.Request.RouteValues.ContainsKey("documentName"))
                {
                    http.Response.StatusCode = StatusCodes.Status404NotFound;
                    return Task.CompletedTask;
                }

                http.Response.OnStarting(() =>
                {
                    var headers = http.Response.Headers;
                    headers.ContentSecurityPolicy = Policy(http.Items[ScalarOptions.NonceHttpContextItemKey] as string);
                    headers.XContentTypeOptions = "nosniff";
                    headers["Referrer-Policy"] = "no-referrer";
                    return Task.CompletedTask;
                });
                return page(http);
            };
        });

    // The page makes its styles as it goes, which no nonce can allow.
    private static string Policy(string? nonce) =>
        $"default-src 'none'; script-src 'self'{(nonce is null ? "" : $" 'nonce-{nonce}'")}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        + "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}
