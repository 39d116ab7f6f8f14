using System.Net;
using ApiJobs.Server.Http;
using ApiJobs.Server.Tests.Contract;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;

namespace ApiJobs.Server.Tests.OpenApi;

/// <summary>The page at <c>/docs</c>, in a browser: it shows the API, and neither asks anybody else for anything nor complains.</summary>
public sealed class DocsPageTests(DocumentServer server) : IClassFixture<DocumentServer>
{
    [Theory]
    [InlineData("/docs")]
    [InlineData("/docs/")]
    public async Task The_page_shows_the_operations_and_asks_nobody_else(string path)
    {
        await using var browsing = await Browsing.StartAsync(server.Process.Url);
        var page = browsing.Page;
        await page.GotoAsync(new Uri(server.Process.Url, path).ToString());
        foreach (var tag in server.Document.GetProperty("tags").EnumerateArray().Select(tag => tag.Text("name")!))
        {
            var summaries = server.Document.GetProperty("paths").EnumerateObject().SelectMany(paths => paths.Value.EnumerateObject())
                .Where(operation => operation.Value.GetProperty("tags")[0].GetString() == tag).Select(operation => operation.Value.Text("summary")!).ToList();
            summaries.ShouldNotBeEmpty(tag);
            var entry = page.GetByText(tag, new() { Exact = true }).First;
            await entry.WaitForAsync();
            // The first is open from the beginning.
            if (!await page.GetByText(summaries[0], new() { Exact = true }).First.IsVisibleAsync())
                await entry.ClickAsync();
            foreach (var summary in summaries)
                await page.GetByText(summary, new() { Exact = true }).First.WaitForAsync();
        }

        await page.GetByText("List API jobs", new() { Exact = true }).First.ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "List API jobs" }).WaitForAsync();

        browsing.ShouldBeQuiet();
    }

    [Fact]
    public async Task A_page_that_asks_somebody_else_is_noticed()
    {
        await using var browsing = await Browsing.StartAsync(server.Process.Url);
        browsing.ShouldBeQuiet();
        var asked = browsing.Page.WaitForRequestAsync("**/stranger.png");
        await browsing.Page.SetContentAsync("<img src=\"http://stranger.invalid/stranger.png\">");
        await asked;
        Should.Throw<ShouldAssertException>(browsing.ShouldBeQuiet).Message.ShouldContain("stranger.png");
    }

    [Fact]
    public async Task The_page_is_there_under_a_path_base()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddOpenApi("v1");
        await using var app = builder.Build();
        app.UsePathBase("/crm");
        app.UseRouting();
        app.MapGet("/here", () => "").WithSummary("Be here");
        app.MapApiJobsOpenApi();
        app.MapDocsPage();
        await app.StartAsync(TestContext.Current.CancellationToken);
        await using var browsing = await Browsing.StartAsync(new(app.Urls.Single()));
        await browsing.Page.GotoAsync($"{app.Urls.Single()}/crm/docs");
        await browsing.Page.GetByRole(AriaRole.Heading, new() { Name = "Be here" }).WaitForAsync();
        browsing.ShouldBeQuiet();
    }

    [Fact]
    public async Task The_page_needs_no_token_and_says_whom_the_browser_may_ask()
    {
        using var answer = await server.Process.Http.GetAsync(new Uri("/docs/", UriKind.Relative), TestContext.Current.CancellationToken);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        var policy = answer.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem();
        policy.ShouldStartWith("default-src 'none'; script-src 'self' 'nonce-");
        policy.ShouldContain("connect-src 'self'");
        policy.ShouldNotContain("http");
    }

    [Fact]
    public async Task There_is_no_page_of_another_document()
    {
        using var answer = await server.Process.Http.GetAsync(new Uri("/docs/problems", UriKind.Relative), TestContext.Current.CancellationToken);
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }
}
