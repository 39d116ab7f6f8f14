using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace ApiJobs.Server.Tests.OpenApi;

/// <summary>A page in Debian's Chromium, which check.cs installs; Playwright's own browsers are downloads. It notes whom the page asks, and what it complains of.</summary>
internal sealed class Browsing : IAsyncDisposable
{
    private const string Chromium = "/usr/bin/chromium";
    private const int PatienceMs = 60_000;

    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly ConcurrentQueue<string> _strangers = new();
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Browsing(IPlaywright playwright, IBrowser browser, IPage page) => (_playwright, _browser, Page) = (playwright, browser, page);

    public IPage Page { get; }

    /// <param name="server">The only server that the page may ask.</param>
    public static async Task<Browsing> StartAsync(Uri server)
    {
        var playwright = await Playwright.CreateAsync();
        // Tests may run as root, and where /dev/shm is small.
        var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Chromium, Args = ["--no-sandbox", "--disable-dev-shm-usage"] });
        var browsing = new Browsing(playwright, browser, await browser.NewPageAsync());
        browsing.Watch(server);
        return browsing;
    }

    /// <summary>Fails if the page asked anybody else for anything, or complained.</summary>
    public void ShouldBeQuiet()
    {
        _strangers.ShouldBeEmpty();
        _complaints.ShouldBeEmpty();
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    private void Watch(Uri server)
    {
        Page.SetDefaultTimeout(PatienceMs);
        Page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                _complaints.Enqueue($"{message.Type}: {message.Text} {message.Location}");
        };
        Page.PageError += (_, error) => _complaints.Enqueue(error);
        Page.RequestFailed += (_, request) => _complaints.Enqueue($"{request.Url}: {request.Failure}");
        Page.Request += (_, request) =>
        {
            if (new Uri(request.Url) is { Scheme: "http" or "https" or "ws" or "wss" } url && url.Authority != server.Authority)
                _strangers.Enqueue(request.Url);
        };
    }
}
