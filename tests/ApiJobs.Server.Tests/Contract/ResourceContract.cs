using System.Net;
using System.Text.Json;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>Reading the rows of resources.</summary>
public abstract class ResourceContract(ApiServer server)
{
    private readonly Guid _company = ApiServer.NewCompany();

    [Fact]
    public async Task A_row_has_its_fields_in_order_and_with_their_types()
    {
        var client = server.ClientOf(_company);
        var (full, empty) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await server.RunAsync(client, HttpMethod.Post, "gadgets/bulk",
            $$$"""
            [{"id":"{{{full}}}","name":"it's \"é\"","serial":"4528A261-917d-4cbc-939e-7ea48cffca69","made_on":"2024-02-29","weight":-5,"works":true,"labels":{"b":"2","a":"<1>"}},
             {"id":"{{{empty}}}"}]
            """);

        var text = await (await client.SendAsync(HttpMethod.Get, $"gadgets/{full}")).TextAsync();
        text.ShouldStartWith(
            $$"""{"id":"{{full}}","name":"it's \"é\"","serial":"4528a261-917d-4cbc-939e-7ea48cffca69","made_on":"2024-02-29","weight":-5,"works":true,"labels":{"a":"<1>","b":"2"},"created_at":"2""");
        JsonDocument.Parse(text).RootElement.Text("updated_at")!.ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$");
        (await (await client.SendAsync(HttpMethod.Get, $"gadgets/{empty}")).TextAsync()).ShouldStartWith(
            $$"""{"id":"{{empty}}","name":null,"serial":null,"made_on":null,"weight":null,"works":null,"labels":{},"created_at":""");
    }

    [Fact]
    public async Task A_list_is_read_page_by_page_by_following_its_links()
    {
        var client = server.ClientOf(_company);
        var records = string.Join(',', Enumerable.Range(0, 25).Select(index => $$"""{"ref":"R{{index}}","postcode":"E1 1AA"}"""));
        await server.RunAsync(client, HttpMethod.Post, "cases/bulk", $"[{records}]");

        var refs = new List<string>();
        string? next = $"{ApiServer.Prefix}/cases?postcode=E1%201AA&perPage=10";
        var pages = 0;
        for (; next is not null; pages++)
        {
            var answer = await client.SendAsync(HttpMethod.Get, next);
            refs.AddRange((await answer.JsonAsync()).GetProperty("data").EnumerateArray().Select(row => row.Text("ref")!));
            next = answer.NextLink();
        }

        pages.ShouldBe(3);
        refs.Order(StringComparer.Ordinal).ShouldBe(Enumerable.Range(0, 25).Select(index => $"R{index}").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("cases?ref=A", 1)]
    [InlineData("cases?postcode=N1", 2)]
    [InlineData("cases?ref=A&postcode=N1", 1)]
    [InlineData("cases?ref=a", 0)]
    [InlineData("cases?ref=", 0)]
    [InlineData("cases?ref='%20OR%20''='", 0)]
    [InlineData("cases?updatedAfter=2020-01-01%2000:00:00", 3)]
    [InlineData("cases?updatedAfter=2020-01-01+00:00:00", 3)]
    [InlineData("cases?updatedAfter=9999-01-01%2000:00:00", 0)]
    [InlineData("cases?page=2", 0)]
    [InlineData("cases?page=21474836&perPage=100", 0)]
    public async Task A_list_is_filtered_by_exact_values(string url, int count)
    {
        var client = server.ClientOf(_company);
        await server.RunAsync(client, HttpMethod.Post, "cases/bulk",
            """[{"ref":"A","postcode":"N1"},{"ref":"B","postcode":"N1"},{"ref":"C","postcode":"N2"}]""");
        await ShouldListAsync(client, url, count);
    }

    [Theory]
    [InlineData("gadgets?serial=4528A261-917D-4CBC-939E-7EA48CFFCA69", 1)]
    [InlineData("gadgets?made_on=2024-02-29", 1)]
    [InlineData("gadgets?weight=-5", 1)]
    [InlineData("gadgets?weight=-05", 1)]
    [InlineData("gadgets?works=true", 1)]
    [InlineData("gadgets?works=false", 0)]
    public async Task Filters_understand_their_fields_types(string url, int count)
    {
        var client = server.ClientOf(_company);
        await server.RunAsync(client, HttpMethod.Post, "gadgets/bulk",
            """[{"serial":"4528a261-917d-4cbc-939e-7ea48cffca69","made_on":"2024-02-29","weight":-5,"works":true},{}]""");
        await ShouldListAsync(client, url, count);
    }

    [Theory]
    [InlineData("cases?email=x", "ref, postcode, updatedAfter, page, perPage")]
    [InlineData("cases?page=0", "1 to")]
    [InlineData("cases?page=21474837", "1 to")]
    [InlineData("cases?perPage=9", "10 to 100")]
    [InlineData("cases?perPage=101", "10 to 100")]
    [InlineData("cases?perPage=+10", "10 to 100")]
    [InlineData("cases?updatedAfter=2024-02-21", "YYYY-MM-DD HH:mm:ss")]
    [InlineData("cases?updatedAfter=2024-02-30%2000:00:00", "YYYY-MM-DD HH:mm:ss")]
    [InlineData("cases?ref=a%00b", "U+0000")]
    [InlineData("cases?ref=A&ref=B", "once")]
    [InlineData("gadgets?serial=1", "UUID")]
    [InlineData("gadgets?made_on=29.02.2024", "YYYY-MM-DD")]
    [InlineData("gadgets?weight=heavy", "whole number")]
    [InlineData("gadgets?works=yes", "true or false")]
    public async Task A_parameter_that_cannot_be_meant_is_refused_with_what_is_allowed(string url, string allowed)
    {
        var answer = await server.ClientOf(_company).SendAsync(HttpMethod.Get, url);
        (await answer.ShouldBeProblemAsync(400, "invalid_parameter")).Text("detail")!.ShouldContain(allowed);
    }

    [Fact]
    public async Task A_row_that_does_not_exist_is_not_found_and_an_id_that_is_no_UUID_is_refused()
    {
        var client = server.ClientOf(_company);
        await (await client.SendAsync(HttpMethod.Get, $"cases/{Guid.CreateVersion7()}")).ShouldBeProblemAsync(404, "not_found");
        await (await client.SendAsync(HttpMethod.Get, "cases/12")).ShouldBeProblemAsync(400, "invalid_parameter");
    }

    private static async Task ShouldListAsync(HttpClient client, string url, int count)
    {
        var answer = await client.SendAsync(HttpMethod.Get, url);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.TextAsync());
        (await answer.JsonAsync()).GetProperty("data").GetArrayLength().ShouldBe(count);
    }
}
