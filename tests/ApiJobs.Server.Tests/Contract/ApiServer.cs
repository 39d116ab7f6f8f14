using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using ApiJobs.Server.Tests.OpenApi;
using ApiJobs.Storage;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>An application with the API on a real Kestrel and a real store; one subclass a store.</summary>
/// <remarks>Tests share a server and keep apart by companies of their own.</remarks>
public abstract class ApiServer : IAsyncLifetime
{
    public const string Prefix = "/engine/api";
    public const string AllScopes = "jobs:read jobs:write cases:read cases:write customers:read customers:write gadgets:read gadgets:write";
    public const long MaxBodyBytes = 4 << 20;

    /// <summary>Small, so that a few records make several chunks.</summary>
    public const int ChunkRecords = 10;

    /// <summary>How many requests of a company may wait at once.</summary>
    public const int MaxWaitersPerCompany = 600;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private WebApplication? _app;
    private int _documentsMade;

    /// <summary>The store as the engine sees it: its calls can be awaited, held up and made to fail.</summary>
    public WatchedStore Store { get; private set; } = null!;

    public Uri Address { get; private set; } = null!;

    public IServiceProvider Services => _app!.Services;

    /// <summary>How often the OpenAPI document was made.</summary>
    public int DocumentsMade => Volatile.Read(ref _documentsMade);

    /// <summary>Everything of level warning and above that was logged.</summary>
    public ConcurrentQueue<string> Warnings { get; } = new();

    /// <summary>Completes when the next request has been answered, or given up.</summary>
    public Signal RequestEnded { get; } = new();

    /// <summary>A company that no other test knows.</summary>
    public static Guid NewCompany() => Guid.CreateVersion7(TimeProvider.System.GetUtcNow());

    /// <summary>Adds the store, on state that nobody else uses.</summary>
    protected abstract Task AddStoreAsync(IServiceCollection services);

    /// <summary>Counts all rows that the store keeps of a company's jobs: uploads, chunks, jobs.</summary>
    public abstract Task<long> CountStoredRowsAsync(Guid companyId);

    /// <summary>What is configured otherwise than for most tests.</summary>
    protected virtual IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>();

    /// <summary>Removes the state.</summary>
    protected abstract ValueTask RemoveStoreAsync();

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Intake:MaxBodyBytes"] = $"{MaxBodyBytes}",
            ["Intake:ChunkRecords"] = $"{ChunkRecords}",
            ["Wait:MaxWaitersPerCompany"] = $"{MaxWaitersPerCompany}",
        });
        builder.Configuration.AddInMemoryCollection(Settings);
        builder.Logging.ClearProviders().AddProvider(new WarningLog(Warnings));
        // Bulk requests have a limit of their own: with so small a general one, the tests would notice if it held for them.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = 1 << 10);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddAuthentication(TestAuthentication.Scheme)
            .AddScheme<AuthenticationSchemeOptions, TestAuthentication>(TestAuthentication.Scheme, null);
        builder.Services.AddOpenApi("v1", document => document.AddApiJobs(new("/oauth/token", UriKind.Relative)).AddDocumentTransformer((_, _, _) =>
        {
            Interlocked.Increment(ref _documentsMade);
            return Task.CompletedTask;
        }));
        builder.Services.AddApiJobs(jobs => jobs
            .AddResource(TestResources.Case)
            .AddResource(TestResources.Customer)
            .AddResource(TestResources.Gadget)
            .AddOperation(new TagCases(), HttpMethods.Post, "cases/tags/bulk"));
        await AddStoreAsync(builder.Services);
        Watch(builder.Services);

        _app = builder.Build();
        _app.Use(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            finally
            {
                RequestEnded.Raise();
            }
        });
        _app.UseProblemAnswers();
        _app.UseAuthentication();
        _app.MapApiJobs(Prefix);
        _app.MapApiJobsOpenApi();
        _app.MapOpenApi("/plain/{documentName}.json");
        _app.MapGet("/crash", string () => throw new InvalidOperationException("A bug."));
        await _app.StartAsync();
        Address = new(_app.Urls.Single());
        DescribedAnswers.Remember(Address, await (await Anonymous().SendAsync(HttpMethod.Get, "/openapi/v1.json")).JsonAsync());
        // What the start says of the database user has nothing to do with requests.
        Warnings.Clear();
    }

    /// <summary>Stops the application, as a node is stopped.</summary>
    public Task StopAsync() => _app!.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_app is not null)
            await _app.DisposeAsync();
        await RemoveStoreAsync();
    }

    // The engine gets the watched store for each of the parts that requests and workers use.
    private void Watch(IServiceCollection services)
    {
        var (jobs, lanes, upkeep) = (Part<IJobStore>(), Part<ILaneStore>(), Part<IUpkeep>());
        services.AddSingleton(provider => Store = new(jobs(provider), lanes(provider), upkeep(provider)));
        services.AddSingleton<IJobStore>(provider => provider.GetRequiredService<WatchedStore>());
        services.AddSingleton<ILaneStore>(provider => provider.GetRequiredService<WatchedStore>());
        services.AddSingleton<IUpkeep>(provider => provider.GetRequiredService<WatchedStore>());

        Func<IServiceProvider, T> Part<T>()
        {
            var part = services.Single(service => service.ServiceType == typeof(T));
            services.Remove(part);
            return provider => (T)part.ImplementationFactory!(provider);
        }
    }

    /// <summary>A client with a company's token.</summary>
    public HttpClient ClientOf(Guid company, string scopes = AllScopes, string? clientId = null)
    {
        var client = Anonymous();
        client.DefaultRequestHeaders.Authorization = new("Bearer", TestAuthentication.Token(company, scopes, clientId));
        return client;
    }

    /// <summary>A client without a token. Its headers may have every character, as those of other clients may.</summary>
    public HttpClient Anonymous() => new(new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8 })
    {
        BaseAddress = Address,
        Timeout = Patience,
    };

    /// <summary>Sends a bulk request and waits until its job has ended.</summary>
    /// <returns>The ended job.</returns>
    public async Task<JsonElement> RunAsync(HttpClient client, HttpMethod method, string path, string json)
    {
        var accepted = await client.SendJsonAsync(method, path, json);
        accepted.StatusCode.ShouldBe(System.Net.HttpStatusCode.Accepted, await accepted.TextAsync());
        return await EndOfAsync(client, accepted.Headers.Location!);
    }

    /// <summary>Waits until a job has ended.</summary>
    /// <returns>The ended job.</returns>
    public async Task<JsonElement> EndOfAsync(HttpClient client, Uri job)
    {
        while (true)
        {
            var applied = Store.Applied.Next;
            var answer = await (await client.GetAsync(job, TestContext.Current.CancellationToken)).JsonAsync();
            if (answer.GetProperty("end_time").ValueKind != JsonValueKind.Null)
                return answer;
            await applied.WaitAsync(Patience, TestContext.Current.CancellationToken);
        }
    }

    private sealed class WarningLog(ConcurrentQueue<string> warnings) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                warnings.Enqueue($"{logLevel}: {formatter(state, exception)} {exception}");
        }
    }
}

/// <summary>Something that happens again and again, and can be awaited.</summary>
public sealed class Signal
{
    private volatile TaskCompletionSource _next = New();

    /// <summary>Completes when it happens next.</summary>
    public Task Next => _next.Task;

    public void Raise() => Interlocked.Exchange(ref _next, New()).SetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

internal static class Exchanges
{
    public static Task<HttpResponseMessage> SendJsonAsync(this HttpClient client, HttpMethod method, string path, string json) =>
        client.SendAsync(method, path, Encoding.UTF8.GetBytes(json), "application/json");

    public static Task<HttpResponseMessage> SendAsync(
        this HttpClient client, HttpMethod method, string path, byte[]? body = null, string? contentType = null,
        Action<HttpRequestHeaders>? headers = null)
    {
        var request = new HttpRequestMessage(method, path.StartsWith('/') ? path : $"{ApiServer.Prefix}/{path}");
        if (body is not null)
            request.Content = new ByteArrayContent(body);
        if (contentType is not null)
            request.Content!.Headers.TryAddWithoutValidation("Content-Type", contentType);
        headers?.Invoke(request.Headers);
        return client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public static Task<string> TextAsync(this HttpResponseMessage answer) =>
        answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage answer)
    {
        using var document = JsonDocument.Parse(await answer.TextAsync());
        DescribedAnswers.Check(answer, document.RootElement);
        return document.RootElement.Clone();
    }

    public static string[] MemberNames(this JsonElement json) => [.. json.EnumerateObject().Select(member => member.Name)];

    public static string? Text(this JsonElement json, string member) => json.GetProperty(member).GetString();

    public static string? NextLink(this HttpResponseMessage answer)
    {
        if (!answer.Headers.TryGetValues("Link", out var links))
            return null;
        var link = links.Single();
        link.ShouldEndWith(">; rel=\"next\"");
        return link[1..link.IndexOf('>', StringComparison.Ordinal)];
    }

    /// <summary>Checks that an answer is a problem of a kind, and gives its body.</summary>
    public static async Task<JsonElement> ShouldBeProblemAsync(this HttpResponseMessage answer, int status, string code)
    {
        var text = await answer.TextAsync();
        ((int)answer.StatusCode).ShouldBe(status, text);
        answer.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json");
        var problem = await answer.JsonAsync();
        problem.Text("code").ShouldBe(code, text);
        problem.GetProperty("status").GetInt32().ShouldBe(status);
        problem.Text("title").ShouldNotBeNullOrWhiteSpace();
        problem.Text("detail").ShouldNotBeNullOrWhiteSpace();
        problem.Text("type").ShouldBe($"/docs/problems#{code}");
        problem.Text("instance").ShouldBe(answer.RequestMessage!.RequestUri!.AbsolutePath);
        return problem;
    }
}
