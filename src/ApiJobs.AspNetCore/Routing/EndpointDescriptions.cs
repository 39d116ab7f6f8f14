using ApiJobs.AspNetCore.Bulk;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.Intake;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.ModelBinding;

namespace ApiJobs.AspNetCore.Routing;

/// <summary>Puts right what API explorers and OpenAPI documents take from the endpoints by themselves.</summary>
internal sealed class EndpointDescriptions : IApiDescriptionProvider
{
    // After the provider that describes the endpoints themselves.
    public int Order => 0;

    public void OnProvidersExecuting(ApiDescriptionProviderContext context)
    {
        // HEAD is GET without the body; described beside it, it would have the same operation id.
        foreach (var head in context.Results.Where(api => api.HttpMethod == "HEAD" && Has<RequiredScope>(api)).ToList())
            context.Results.Remove(head);
        foreach (var api in context.Results.Where(Has<BulkEndpoint>))
            DescribeBody(api);
    }

    public void OnProvidersExecuted(ApiDescriptionProviderContext context)
    {
    }

    // The usual way, endpoint metadata, would make routing refuse other media types before anybody has asked who is calling.
    private static void DescribeBody(ApiDescription api)
    {
        api.ParameterDescriptions.Add(new()
        {
            Name = "records",
            Type = typeof(IReadOnlyList<Dictionary<string, object?>>),
            Source = BindingSource.Body,
            IsRequired = true,
        });
        foreach (var mediaType in RecordFormats.MediaTypes)
            api.SupportedRequestFormats.Add(new() { MediaType = mediaType });
    }

    private static bool Has<TMetadata>(ApiDescription api) => api.ActionDescriptor.EndpointMetadata.OfType<TMetadata>().Any();
}
