using System.Text.Json.Serialization;
using ApiJobs.Server.OAuth;
using ApiJobs.Server.OpenApi;
using ApiJobs.Server.Settings;

namespace ApiJobs.Server.Http;

/// <summary>Lets an integrator see whether a token works, and for what, before any record is sent.</summary>
internal static class WhoAmI
{
    /// <summary>Maps <c>GET {base path}/whoami</c>. Any good token will do.</summary>
    public static void MapWhoAmI(this IEndpointRouteBuilder routes, HttpSettings http) =>
        routes.MapGet($"{http.BasePath}/whoami", (HttpContext context) =>
            {
                context.Response.Headers.CacheControl = "no-store";
                context.Response.Headers.XContentTypeOptions = "nosniff";
                return Results.Json(new WhoAmIAnswer(context.User.CompanyId(), context.User.ClientId(), [.. context.User.Scopes()]));
            })
            .RequireAuthorization()
            .DescribeWhoAmI();

    /// <summary>Whose a token is.</summary>
    /// <param name="CompanyId">The company whose records it opens.</param>
    /// <param name="ClientId">The client it was issued to.</param>
    /// <param name="Scopes">What it may be used for.</param>
    internal sealed record WhoAmIAnswer(
        [property: JsonPropertyName("company_id")] Guid CompanyId,
        [property: JsonPropertyName("client_id")] string ClientId,
        [property: JsonPropertyName("scopes")] IReadOnlyList<string> Scopes);
}
