using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Requests;

/// <summary>The guard's step that refuses query parameters which the endpoint does not have.</summary>
internal sealed class KnownParameters(IReadOnlyList<QueryParameter> parameters)
{
    public ValueTask<bool> CheckAsync(HttpContext context)
    {
        foreach (var (sent, _) in context.Request.Query)
        {
            if (!parameters.Any(parameter => parameter.Name == sent))
                throw QueryParameter.Invalid($"There is no parameter '{QueryParameter.Shown(sent)}' here. {QueryParameter.Allowed("Parameters", [.. parameters.Select(parameter => parameter.Name)])}");
        }

        return ValueTask.FromResult(true);
    }
}
