using System.Collections.Concurrent;
using System.Net;
using ApiJobs.Server.Tests.Contract;
using Microsoft.Playwright;

namespace ApiJobs.Server.Tests.OpenApi;

/// <summary>The page at <c>/docs</c>, in a browser: it shows the API, and neither asks anybody else for anything nor complains.</summary>
public sealed class DocsPageTests(DocumentServer server) : IClassFixture<DocumentServer>
{
    // Debian's, which check.cs installs; Playwright's own are downloads.
    private const string Chromium = "/usr/bin/chromium";

    private const int PatienceMs = 60_000;

    [Theory]
    [InlineData("/docs")]
    [InlineData("/docs/")]
    public async Task The_page_shows_the_operations_and_asks_nobody_else(string path)
    {
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Chromium, Args = ["--no-sandbox", "--disable-dev-shm-usage"] });
        var page = await browser.NewPageAsync();
        page.SetDefaultTimeout(PatienceMs);
        var (complaints, strangers) = (new ConcurrentQueue<string>(), new ConcurrentQueue<string>());
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                complaints.Enqueue($"{message.Type}: {message.Text} {message.Location}");
        };
        page.PageError += (_, error) => complaints.Enqueue(error);
        page.RequestFailed += (_, request) => complaints.Enqueue($"{request.Url}: {request.Failure}");
        page.Request += (_, request) =>
        {
            if (new Uri(request.Url) is { Scheme: "http" or "https" or "ws" or "wss" } url && url.Authority != server.Process.Url.Authority)
                strangers.Enqueue(request.Url);
        };

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

        strangers.ShouldBeEmpty();
        complaints.ShouldBeEmpty();
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
