using System.IO.Pipelines;
using System.Security.Claims;
using ApiJobs.Admission;
using ApiJobs.AspNetCore;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.AspNetCore.Jobs;
using ApiJobs.Intake;
using ApiJobs.Operations;
using ApiJobs.Processing;
using ApiJobs.Storage;
using ApiJobs.Waiting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>What a stream does as time goes by, on a clock of the test's own.</summary>
public sealed class EventStreamTests(SqliteApiServer server) : IClassFixture<SqliteApiServer>
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2024, 2, 21, 10, 21, 31, TimeSpan.Zero));
    private readonly Guid _company = ApiServer.NewCompany();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_silent_stream_is_kept_alive_with_a_comment_every_fifteen_seconds()
    {
        await using var watched = await WatchAsync(new());
        await watched.ShouldWriteAsync("retry: 2000\n\n");
        await watched.ShouldWriteAsync("event: api_job.progress\nid: 0-0\ndata: {");

        for (var i = 0; i < 3; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(14.9));
            watched.HasWritten.ShouldBeFalse();
            _time.Advance(TimeSpan.FromSeconds(0.1));
            await watched.ShouldWriteAsync(":\n\n");
        }
    }

    [Fact]
    public async Task A_stream_ends_after_its_time_and_not_before()
    {
        await using var watched = await WatchAsync(new() { MaxStreamTime = TimeSpan.FromSeconds(10) });
        await watched.ShouldWriteAsync("retry: 2000\n\n");
        await watched.ShouldWriteAsync("event: api_job.progress");
        _time.Advance(TimeSpan.FromSeconds(9));
        watched.Streaming.IsCompleted.ShouldBeFalse();

        _time.Advance(TimeSpan.FromSeconds(1));

        await watched.Streaming.WaitAsync(Cancel);
    }

    [Theory]
    [InlineData("5", 5)]
    [InlineData("1000000", 900)]
    [InlineData("99999999999999999", 900)]
    [InlineData("nonsense", 900)]
    public async Task A_stream_ends_with_the_token_where_its_end_is_known(string expiry, int seconds)
    {
        if (long.TryParse(expiry, out var after) && after < int.MaxValue)
            expiry = $"{_time.GetUtcNow().AddSeconds(after).ToUnixTimeSeconds()}";
        await using var watched = await WatchAsync(new(), expiry);
        await watched.ShouldWriteAsync("retry: 2000\n\n");
        await watched.ShouldWriteAsync("event: api_job.progress");
        for (var left = seconds - 1; left > 0; left -= 15)
        {
            _time.Advance(TimeSpan.FromSeconds(Math.Min(15, left)));
            if (left >= 15)
                await watched.ShouldWriteAsync(":\n\n");
        }

        watched.Streaming.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(1));
        await watched.Streaming.WaitAsync(Cancel);
    }

    [Fact]
    public async Task A_client_that_takes_nothing_for_half_a_minute_is_cut_off()
    {
        var (context, lifetime) = (new DefaultHttpContext(), new Lifetime());
        var pipe = new Pipe(new(pauseWriterThreshold: 4, resumeWriterThreshold: 2));
        context.Features.Set<IHttpRequestLifetimeFeature>(lifetime);
        context.Response.Body = pipe.Writer.AsStream();
        var stream = new EventStream(context, _time);
        stream.Begin();

        var writing = stream.WriteAsync(new byte[100], CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(29));
        (writing.IsCompleted, lifetime.IsAborted).ShouldBe((false, false));
        _time.Advance(TimeSpan.FromSeconds(1));

        (await Record.ExceptionAsync(() => writing)).ShouldBeOfType<ConnectionAbortedException>();
        lifetime.IsAborted.ShouldBeTrue();
    }

    [Fact]
    public async Task A_client_that_takes_nothing_does_not_hold_up_a_node_that_stops()
    {
        var (context, lifetime) = (new DefaultHttpContext(), new Lifetime());
        using var stop = new CancellationTokenSource();
        var pipe = new Pipe(new(pauseWriterThreshold: 4, resumeWriterThreshold: 2));
        context.Features.Set<IHttpRequestLifetimeFeature>(lifetime);
        context.Response.Body = pipe.Writer.AsStream();
        var stream = new EventStream(context, _time);
        stream.Begin();
        var writing = stream.WriteAsync(new byte[100], stop.Token);

        await stop.CancelAsync();

        (await Record.ExceptionAsync(() => writing)).ShouldBeOfType<ConnectionAbortedException>();
        lifetime.IsAborted.ShouldBeTrue();
    }

    private async Task<Watched> WatchAsync(WaitOptions options, string? expiry = null)
    {
        var held = server.Store.HoldWork();
        var client = server.ClientOf(_company);
        var accepted = await client.SendJsonAsync(HttpMethod.Post, "cases/bulk", "[{}]");
        var id = (await accepted.JsonAsync()).Text("id")!;
        var store = server.Services.GetRequiredService<IJobStore>();
        return new(store, options, _time, _company, id, expiry, held);
    }

    /// <summary>A stream that runs by the test's clock; what it writes is read piece by piece.</summary>
    private sealed class Watched : IAsyncDisposable
    {
        private readonly Pipe _pipe = new();
        private readonly CancellationTokenSource _hangUp = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        private readonly JobWatch _watch;
        private readonly ApiJobEngine _engine;
        private readonly IDisposable _held;

        public Watched(IJobStore store, WaitOptions options, TimeProvider time, Guid company, string id, string? expiry, IDisposable held)
        {
            _held = held;
            _watch = new(store, Options.Create(options), time, NullLogger<JobWatch>.Instance);
            _engine = new(
                store, new OperationCatalog([]), Options.Create(new IntakeOptions()), Options.Create(new AdmissionOptions()), new WorkPace(), _watch, time,
                NullLogger<ApiJobEngine>.Instance);
            var context = new DefaultHttpContext { RequestAborted = _hangUp.Token };
            context.Features.Set(new ApiJobCaller(company, []));
            if (expiry is not null)
                context.User = new(new ClaimsIdentity([new("exp", expiry)]));
            context.Request.Method = "GET";
            context.Response.Body = _pipe.Writer.AsStream();
            Streaming = new EventsEndpoint(_engine, new ApiUrls("/engine/api"), options, time).StreamAsync(context, id);
        }

        public Task Streaming { get; }

        public bool HasWritten => _pipe.Reader.TryRead(out var read) && read.Buffer.Length > 0;

        public async Task ShouldWriteAsync(string text)
        {
            var read = await _pipe.Reader.ReadAsync(Cancel);
            var written = System.Text.Encoding.UTF8.GetString(System.Buffers.BuffersExtensions.ToArray(read.Buffer));
            written.ShouldStartWith(text);
            var end = written.IndexOf("\n\n", StringComparison.Ordinal) + 2;
            _pipe.Reader.AdvanceTo(read.Buffer.GetPosition(System.Text.Encoding.UTF8.GetByteCount(written[..end])));
            // Until it sleeps, time that passes would not be its own.
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancel);
        }

        public async ValueTask DisposeAsync()
        {
            await _hangUp.CancelAsync();
            await Streaming.ContinueWith(static _ => { }, TaskScheduler.Default);
            _held.Dispose();
            _engine.Dispose();
            _watch.Dispose();
            _hangUp.Dispose();
        }
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        public bool IsAborted { get; private set; }

        public CancellationToken RequestAborted { get; set; }

        public void Abort() => IsAborted = true;
    }
}
