using System.Globalization;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.Resources;
using ApiJobs.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace ApiJobs.AspNetCore.Resources;

/// <summary>Reads a declared resource's rows.</summary>
internal sealed class RowEndpoints(Resource resource, IResourceStore store)
{
    public const int MaxPerPage = 100;
    private const int MinPerPage = 10;
    private const int DefaultPerPage = 50;
    private const int MaxPage = int.MaxValue / MaxPerPage;

    private static readonly QueryParameter UpdatedAfter = new(
        "updatedAfter", "Only rows changed after this time, UTC: YYYY-MM-DD HH:mm:ss.")
    { Pattern = @"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$" };

    private static readonly QueryParameter Page = new("page", "The page to show, from 1; 1 unless given.") { Kind = QueryValueKind.Number, Range = (1, MaxPage), Default = 1 };

    private static readonly QueryParameter PerPage = new(
        "perPage", $"The most rows a page shows, {MinPerPage} to {MaxPerPage}; {DefaultPerPage} unless given.")
    {
        Kind = QueryValueKind.Number,
        Range = (MinPerPage, MaxPerPage),
        Default = DefaultPerPage,
    };

    private readonly (Field Field, QueryParameter Parameter)[] _filters =
    [
        .. resource.Fields.Where(field => field.IsFilter)
            .Select(field => (field, FilterValue.Parameter(field))),
    ];

    public IReadOnlyList<QueryParameter> Parameters => [.. _filters.Select(filter => filter.Parameter), UpdatedAfter, Page, PerPage];

    public async Task ListAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var page = Page.Number(request)!.Value;
        var perPage = PerPage.Number(request)!.Value;
        var query = new ResourceQuery
        {
            Equal = ReadFilters(request),
            UpdatedAfter = ReadUpdatedAfter(request),
            Offset = (page - 1) * perPage,
            Limit = perPage,
        };
        var rows = await store.ListRowsAsync(resource, context.Caller().CompanyId, query, context.RequestAborted);
        if (rows.Count == perPage && page < MaxPage)
            response.Headers.Link = $"<{UrlOfPage(request, page + 1)}>; rel=\"next\"";
        await JsonAnswer.Of(json => RowJson.WriteList(json, resource, rows)).WriteAsync(response);
    }

    public async Task GetAsync(HttpContext context, string id)
    {
        var rowId = PathId.Parse(id);
        if (await store.FindRowAsync(resource, context.Caller().CompanyId, rowId, context.RequestAborted) is not { } row)
            throw Problems.NotFound.Refusal($"There is no {resource.Label.ToLowerInvariant()} {rowId}.");
        await JsonAnswer.Of(json => RowJson.Write(json, resource, row)).WriteAsync(context.Response);
    }

    private List<(Field Field, string Value)> ReadFilters(HttpRequest request)
    {
        var equal = new List<(Field, string)>();
        foreach (var (field, parameter) in _filters)
        {
            if (parameter.Text(request) is { } text)
                equal.Add((field, FilterValue.Parse(field, text)));
        }

        return equal;
    }

    private static DateTimeOffset? ReadUpdatedAfter(HttpRequest request)
    {
        if (UpdatedAfter.Text(request) is not { } text)
            return null;
        return DateTimeOffset.TryParseExact(
            text, WireTime.Seconds, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw QueryParameter.Invalid($"'updatedAfter' is '{QueryParameter.Shown(text)}'; send a UTC time as YYYY-MM-DD HH:mm:ss.");
    }

    private static string UrlOfPage(HttpRequest request, int page)
    {
        var query = new QueryBuilder(request.Query.Where(parameter => parameter.Key != Page.Name))
        {
            { Page.Name, page.ToString(CultureInfo.InvariantCulture) },
        };
        return $"{request.PathBase.Add(request.Path).ToUriComponent()}{query}";
    }
}
