using ApiJobs.Intake;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.ModelBinding;

namespace ApiJobs.AspNetCore.Bulk;

/// <summary>Tells API explorers and OpenAPI documents what bulk requests' bodies are.</summary>
/// <remarks>The usual way, endpoint metadata, would make routing refuse other media types, before anybody has asked who is calling.</remarks>
internal sealed class BodyDescriptions : IApiDescriptionProvider
{
    // After the provider that describes the endpoints themselves.
    public int Order => 0;

    public void OnProvidersExecuting(ApiDescriptionProviderContext context)
    {
        foreach (var api in context.Results.Where(api => api.ActionDescriptor.EndpointMetadata.OfType<BulkEndpoint>().Any()))
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
    }

    public void OnProvidersExecuted(ApiDescriptionProviderContext context)
    {
    }
}
