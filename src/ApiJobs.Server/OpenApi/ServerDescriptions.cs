using System.Text.Json.Nodes;
using ApiJobs.Server.OAuth;
using Microsoft.OpenApi;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace ApiJobs.Server.OpenApi;

/// <summary>What the OpenAPI document says of the server, and of the endpoints that it adds to the API's.</summary>
internal static class ServerDescriptions
{
    private const string OAuthTag = "OAuth";
    private const string Json = "application/json";

    /// <summary>Names the API.</summary>
    public static void DescribeServer(this OpenApiDocument document)
    {
        document.Info.Title = "ApiJobs";
        document.Info.Version = "1";
        document.Info.Description = "Asynchronous bulk requests: send records, get an API job, ask what happened to each.";
        document.Info.License = new() { Name = "MIT", Identifier = "MIT" };
        foreach (var tag in document.Tags!.Where(tag => tag.Name == OAuthTag))
            tag.Description = "Access tokens: getting one, and seeing whose it is.";
    }

    public static void DescribeWhoAmI(this RouteHandlerBuilder endpoint) => endpoint
        .WithTags(OAuthTag)
        .WithSummary("See whose a token is")
        .WithDescription("Any good token will do, whatever its scopes.")
        .AddOpenApiOperationTransformer((operation, context, _) =>
        {
            operation.OperationId = "whoAmI";
            operation.Responses = new()
            {
                ["200"] = new OpenApiResponse
                {
                    Description = "Whose the token is.",
                    Headers = NoStore(),
                    Content = Content(
                        new OpenApiSchema
                        {
                            Type = JsonSchemaType.Object,
                            Required = new HashSet<string> { "company_id", "client_id", "scopes" },
                            Properties = new Dictionary<string, IOpenApiSchema>
                            {
                                ["company_id"] = new OpenApiSchema { Type = JsonSchemaType.String, Format = "uuid", Description = "The company whose records it opens." },
                                ["client_id"] = Text("The client that it was issued to."),
                                ["scopes"] = new OpenApiSchema { Type = JsonSchemaType.Array, Items = Text(), Description = "What it may be used for." },
                            },
                        },
                        context.Document!, "WhoAmIAnswer",
                        new JsonObject { ["company_id"] = "aff00be6-f734-4094-a8ae-62874485dac0", ["client_id"] = "importer", ["scopes"] = new JsonArray("jobs:read", "cases:write") }),
                },
                ["401"] = Shared("Unauthorized", context.Document!),
                ["500"] = Shared("InternalServerError", context.Document!),
                ["503"] = Shared("ServiceUnavailable", context.Document!),
            };
            return Task.CompletedTask;
        });

    public static void DescribeTokens(this RouteHandlerBuilder endpoint) => endpoint
        .WithTags(OAuthTag)
        .WithSummary("Get an access token")
        .WithDescription(
            "RFC 6749, section 4.4. The client's id and secret are sent in the body, as JSON or as a form, or as HTTP Basic beside a form. "
            + "Without a scope the token has all that the client may have.")
        .AddOpenApiOperationTransformer((operation, context, _) =>
        {
            var document = context.Document!;
            operation.OperationId = "getAccessToken";
            // Anybody may ask.
            operation.Security = [[]];
            operation.RequestBody = new OpenApiRequestBody { Required = true, Description = "Who asks, and for what.", Content = RequestContent(document) };
            operation.Responses = new()
            {
                ["200"] = new OpenApiResponse
                {
                    Description = "The token.",
                    Headers = NoStore(),
                    Content = Content(TokenSchema(), document, "AccessToken", new JsonObject { ["token_type"] = "Bearer", ["expires_in"] = 3600, ["access_token"] = "eyJ…" }),
                },
                ["400"] = OAuthError(document, "The request is not one for a token, or asks for what the client may not have.", "invalid_scope"),
                ["401"] = OAuthError(document, "The client is not known, or its secret is another one.", "invalid_client"),
                ["413"] = Problem(document, "body_too_large", $"The body has more than {TokenRequestReader.MaxBodyBytes} bytes."),
                ["429"] = Problem(document, "too_many_requests", "The client, or its address, asked too often."),
                ["500"] = Shared("InternalServerError", document),
                ["503"] = Shared("ServiceUnavailable", document),
            };
            return Task.CompletedTask;
        });

    private static Dictionary<string, OpenApiMediaType> RequestContent(OpenApiDocument document)
    {
        var example = new JsonObject
        {
            ["grant_type"] = GrantTypes.ClientCredentials,
            ["client_id"] = "importer",
            ["client_secret"] = "a secret of thirty-two characters",
            ["scope"] = "jobs:read cases:write",
        };
        var schema = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "Who asks for a token, and for what.",
            Required = new HashSet<string> { "grant_type" },
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["grant_type"] = new OpenApiSchema { Type = JsonSchemaType.String, Enum = [GrantTypes.ClientCredentials] },
                ["client_id"] = Text("Left out with HTTP Basic."),
                ["client_secret"] = Text("Left out with HTTP Basic."),
                ["scope"] = Text("The scopes that the token shall have, with spaces between them; all of the client's unless given."),
            },
        };
        var content = Content(schema, document, "TokenRequest", example);
        content["application/x-www-form-urlencoded"] = new() { Schema = new OpenApiSchemaReference("TokenRequest", document) };
        return content;
    }

    private static OpenApiSchema TokenSchema() => new()
    {
        Type = JsonSchemaType.Object,
        Description = "An access token.",
        Required = new HashSet<string> { "token_type", "expires_in", "access_token" },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["token_type"] = new OpenApiSchema { Type = JsonSchemaType.String, Enum = ["Bearer"] },
            ["expires_in"] = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64", Minimum = "1", Description = "Seconds." },
            ["access_token"] = Text("Send it as Authorization: Bearer …"),
            ["scope"] = Text("What the token may be used for, if scopes were asked for."),
        },
    };

    private static OpenApiResponse OAuthError(OpenApiDocument document, string description, string example) => new()
    {
        Description = description,
        Headers = NoStore(),
        Content = Content(
            new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Description = "Why no token was issued (RFC 6749, section 5.2).",
                Required = new HashSet<string> { "error" },
                Properties = new Dictionary<string, IOpenApiSchema>
                {
                    ["error"] = new OpenApiSchema
                    {
                        Type = JsonSchemaType.String,
                        Enum = [Errors.InvalidRequest, Errors.InvalidClient, Errors.InvalidScope, Errors.UnsupportedGrantType, Errors.UnauthorizedClient, Errors.InvalidGrant],
                    },
                    ["error_description"] = Text("Why, for people."),
                },
            },
            document, "OAuthError", new JsonObject { ["error"] = example, ["error_description"] = "Why no token was issued." }),
    };

    private static OpenApiResponse Problem(OpenApiDocument document, string code, string description) => new()
    {
        Description = $"{code}: {description}",
        Headers = code == "too_many_requests" ? new Dictionary<string, IOpenApiHeader> { ["Retry-After"] = new OpenApiHeaderReference("RetryAfterRefusal", document) } : null,
        Content = new Dictionary<string, OpenApiMediaType> { ["application/problem+json"] = new() { Schema = new OpenApiSchemaReference("Problem", document) } },
    };

    private static Dictionary<string, OpenApiMediaType> Content(OpenApiSchema schema, OpenApiDocument document, string name, JsonNode example)
    {
        if (document.Components?.Schemas?.ContainsKey(name) != true)
            document.AddComponent<IOpenApiSchema>(name, schema);
        return new() { [Json] = new() { Schema = new OpenApiSchemaReference(name, document), Example = example } };
    }

    private static Dictionary<string, IOpenApiHeader> NoStore() => new()
    {
        ["Cache-Control"] = new OpenApiHeader { Description = "The answer is nobody else's.", Schema = new OpenApiSchema { Type = JsonSchemaType.String, Enum = ["no-store"] } },
    };

    // The API's endpoints, which every document has, bring these along.
    private static OpenApiResponseReference Shared(string name, OpenApiDocument document) => new(name, document);

    private static OpenApiSchema Text(string? description = null) => new() { Type = JsonSchemaType.String, Description = description };
}
