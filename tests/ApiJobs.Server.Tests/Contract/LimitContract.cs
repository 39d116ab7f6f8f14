using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>What a client, a company and all together may take: where it ends, what is said then, and that nobody else feels it.</summary>
public abstract class LimitContract(ApiServer server) : IAsyncLifetime
{
    private const int PerSecond = 5, Burst = 60, CompanyBurst = 150, Uploads = 2, AllUploads = 3, Queued = 100, AllQueued = 250;
    private const int QueuedBytes = 40_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Guid _company = ApiServer.NewCompany(), _other = ApiServer.NewCompany();

    /// <summary>Limits that a test can reach.</summary>
    internal static IReadOnlyDictionary<string, string?> Settings { get; } = new Dictionary<string, string?>
    {
        ["Limits:RequestsPerSecondPerClient"] = $"{PerSecond}",
        ["Limits:RequestBurstPerClient"] = $"{Burst}",
        ["Limits:RequestsPerSecondPerCompany"] = $"{PerSecond}",
        ["Limits:RequestBurstPerCompany"] = $"{CompanyBurst}",
        ["Limits:OpenUploadsPerCompany"] = $"{Uploads}",
        ["Limits:OpenUploads"] = $"{AllUploads}",
        ["Limits:QueuedRecordsPerCompany"] = $"{Queued}",
        ["Limits:QueuedBytesPerCompany"] = $"{QueuedBytes}",
        ["Limits:QueuedRecords"] = $"{AllQueued}",
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    // What the companies of one test have queued does not count against those of the next.
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        var all = new ApiJobs.Storage.Backlog(1, 1);
        while (all.Records > 0)
        {
            var applied = server.Store.Applied.Next;
            all = await server.Store.ReadBacklogAsync(null, CancellationToken.None);
            if (all.Records > 0)
                await Task.WhenAny(applied, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System));
        }

        // What the node knows of that may be a tenth of a second old when it refuses.
        await Task.Delay(TimeSpan.FromMilliseconds(150), TimeProvider.System);
    }

    // Requests.

    [Fact]
    public async Task A_client_that_sends_too_many_requests_is_told_when_to_come_again_and_nobody_else_is()
    {
        var (flooding, colleague, other) = (Client(_company, "flooding"), Client(_company, "colleague"), Client(_other, "flooding"));
        var clock = Stopwatch.StartNew();
        var answers = await Task.WhenAll(Enumerable.Range(0, 2 * Burst).Select(_ => flooding.SendAsync(HttpMethod.Get, "cases")));

        var passed = answers.Count(answer => answer.StatusCode == HttpStatusCode.OK);
        passed.ShouldBeInRange(Burst, Burst + (int)Math.Ceiling((clock.Elapsed.TotalSeconds + 1) * PerSecond));
        passed.ShouldBeLessThan(answers.Length, "The machine is so slow that nothing was too much.");
        var refused = answers.First(answer => answer.StatusCode != HttpStatusCode.OK);
        (await refused.ShouldBeProblemAsync(429, "too_many_requests")).Text("detail")!.ShouldContain($"{PerSecond} requests a second, after {Burst} at once (Limits:RequestsPerSecondPerClient)");
        refused.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
        (await colleague.SendAsync(HttpMethod.Get, "cases")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await other.SendAsync(HttpMethod.Get, "cases")).StatusCode.ShouldBe(HttpStatusCode.OK);

        await UntilAsync(async () => (await flooding.SendAsync(HttpMethod.Get, "cases")).StatusCode == HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_clients_of_a_company_together_have_a_limit_however_many_they_are()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 3 * CompanyBurst).Select(number => Client(_company, $"client-{number}").SendAsync(HttpMethod.Get, "cases")));

        var refused = answers.First(answer => answer.StatusCode != HttpStatusCode.OK);
        (await refused.ShouldBeProblemAsync(429, "too_many_requests")).Text("detail")!.ShouldContain("Limits:RequestsPerSecondPerCompany");
        (await Client(_other, "client-0").SendAsync(HttpMethod.Get, "cases")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Every_answer_to_a_known_caller_says_what_is_left()
    {
        var client = Client(_company, "client");
        (string Method, string Path, int Status)[] requests =
        [
            ("GET", "cases", 200), ("HEAD", "limits", 200), ("POST", "cases/bulk", 202), ("GET", $"api-jobs/{Guid.CreateVersion7()}", 404),
            ("GET", "cases?nonsense=1", 400), ("DELETE", "cases/bulk", 405), ("GET", "gadgets", 403),
        ];
        var left = Burst;
        foreach (var (method, path, status) in requests)
        {
            var answer = await client.SendAsync(new(method), path, method == "POST" ? "[{}]"u8.ToArray() : [], "application/json");
            ((int)answer.StatusCode).ShouldBe(status, $"{method} {path}");
            answer.Headers.GetValues("RateLimit-Policy").ShouldBe([$"\"client\";q={Burst};w=12, \"company\";q={CompanyBurst};w=30"]);
            var (client_, company) = Left(answer);
            client_.ShouldBeInRange(--left, Burst - 1);
            company.ShouldBeInRange(client_ + 90, CompanyBurst - 1);
        }

        (await server.Anonymous().SendAsync(HttpMethod.Get, $"{ApiServer.Prefix}/cases")).Headers.Contains("RateLimit").ShouldBeFalse();

        static (int Client, int Company) Left(HttpResponseMessage answer)
        {
            var match = System.Text.RegularExpressions.Regex.Match(
                answer.Headers.GetValues("RateLimit").ShouldHaveSingleItem(), """^"client";r=(\d+);t=(\d+), "company";r=(\d+);t=(\d+)$""");
            match.Success.ShouldBeTrue();
            int[] numbers = [.. match.Groups.Values.Skip(1).Select(group => int.Parse(group.Value, CultureInfo.InvariantCulture))];
            numbers[1].ShouldBe((Burst - numbers[0] + PerSecond - 1) / PerSecond);
            return (numbers[0], numbers[2]);
        }
    }

    // Uploads.

    [Fact]
    public async Task A_company_has_so_many_uploads_open_and_another_one_may_still_send()
    {
        using var first = await UploadAsync(_company);
        using var second = await UploadAsync(_company);

        var answer = await PostAsync(_company, 1);
        (await answer.ShouldBeProblemAsync(429, "too_many_uploads")).Text("detail")!.ShouldContain($"{Uploads} uploads open, the limit (Limits:OpenUploadsPerCompany)");
        answer.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
        (await LimitsAsync(_company)).GetProperty("open_uploads").GetRawText().ShouldBe($$"""{"limit":{{Uploads}},"used":2,"remaining":0}""");
        (await PostAsync(_other, 1)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        // Whoever only asks is not kept out.
        (await Client(_company).SendAsync(HttpMethod.Get, "cases")).StatusCode.ShouldBe(HttpStatusCode.OK);

        using var third = await UploadAsync(_other);
        var full = await PostAsync(ApiServer.NewCompany(), 1);
        (await full.ShouldBeProblemAsync(503, "server_busy")).Text("detail")!.ShouldContain("Limits:OpenUploads)");
        full.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));

        // The end of one, whichever it is, makes room for one.
        (await first.EndAsync()).ShouldStartWith("HTTP/1.1 202");
        (await PostAsync(_company, 1)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        second.HangUp();
        await UntilAsync(async () => (await LimitsAsync(_company)).GetProperty("open_uploads").GetProperty("used").GetInt64() == 0);
        (await third.EndAsync()).ShouldStartWith("HTTP/1.1 202");
    }

    [Fact]
    public async Task A_client_that_waits_for_100_Continue_never_sends_what_is_refused()
    {
        using var first = await UploadAsync(_company);
        using var second = await UploadAsync(_company);
        using var client = await ConnectAsync();

        await client.SendAsync(Head(_company, "Expect: 100-continue\r\nContent-Length: 1000000"));

        (await client.ReadHeadAsync()).ShouldStartWith("HTTP/1.1 429");
    }

    [Fact]
    public async Task Refused_bodies_of_every_kind_give_their_place_back()
    {
        foreach (var body in new[] { "[{", "{}x", "[]", "[1]", "", new string('x', 100) })
        {
            for (var repetition = 0; repetition < Uploads + 1; repetition++)
            {
                var answer = await Client(_company).SendJsonAsync(HttpMethod.Post, "cases/bulk", body);
                answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest, body);
            }
        }

        (await LimitsAsync(_company)).GetProperty("open_uploads").GetProperty("used").GetInt64().ShouldBe(0);
        (await LimitsAsync(_company)).GetProperty("queued_records").GetProperty("used").GetInt64().ShouldBe(0);
    }

    // The queue.

    [Fact]
    public async Task A_full_queue_refuses_at_the_door_with_when_to_come_again_and_the_promise_is_kept()
    {
        var hold = server.Store.HoldWork();
        await QueueAsync(_company, Queued);

        var answer = await PostAsync(_company, 1);
        (await answer.ShouldBeProblemAsync(429, "queue_full")).Text("detail")!.ShouldContain($"{Queued} records queued or on their way in; the limit is {Queued} (Limits:QueuedRecordsPerCompany)");
        answer.Headers.RetryAfter!.Delta!.Value.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(600));
        // Nothing of the body is asked for.
        using (var client = await ConnectAsync())
        {
            await client.SendAsync(Head(_company, "Expect: 100-continue\r\nContent-Length: 1000000"));
            (await client.ReadHeadAsync()).ShouldStartWith("HTTP/1.1 429");
        }

        (await PostAsync(_other, 1)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await LimitsAsync(_company)).GetProperty("queued_records").GetRawText().ShouldBe($$"""{"limit":{{Queued}},"used":{{Queued}},"remaining":0}""");
        (await server.CountStoredRowsAsync(_company)).ShouldBe(1 + (Queued / ApiServer.ChunkRecords));

        hold.Dispose();
        await UntilAsync(async () => (await PostAsync(_company, 1)).StatusCode == HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task A_request_that_brings_more_than_there_is_room_for_is_refused_while_it_streams_and_nothing_of_it_is_kept()
    {
        using var hold = server.Store.HoldWork();
        await QueueAsync(_company, Queued - 15);
        var before = await server.CountStoredRowsAsync(_company);

        var answer = await PostAsync(_company, 25);

        await answer.ShouldBeProblemAsync(429, "queue_full");
        answer.Headers.RetryAfter.ShouldNotBeNull();
        (await server.CountStoredRowsAsync(_company)).ShouldBe(before);
        (await PostAsync(_company, 15)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task Bytes_have_a_limit_of_their_own()
    {
        using var hold = server.Store.HoldWork();
        var notes = new string('x', 1_000);
        await QueueAsync(_company, 35, notes);

        var answer = await PostAsync(_company, 20, notes);

        (await answer.ShouldBeProblemAsync(429, "queue_full")).Text("detail")!.ShouldContain("Limits:QueuedBytesPerCompany");
        var bytes = (await LimitsAsync(_company)).GetProperty("queued_bytes");
        bytes.GetProperty("used").GetInt64().ShouldBeInRange(35_000, QueuedBytes);
        bytes.GetProperty("remaining").GetInt64().ShouldBe(QueuedBytes - bytes.GetProperty("used").GetInt64());
    }

    [Fact]
    public async Task What_is_larger_than_the_limit_by_itself_is_told_so_and_not_to_wait()
    {
        var records = await PostAsync(_company, Queued + 1);
        (await records.ShouldBeProblemAsync(413, "too_many_records")).Text("detail")!.ShouldContain($"{Queued} records, the most that may be queued. Send fewer, or raise Limits:QueuedRecordsPerCompany.");
        records.Headers.RetryAfter.ShouldBeNull();
        var bytes = await PostAsync(_company, 50, new string('x', 1_000));
        (await bytes.ShouldBeProblemAsync(413, "body_too_large")).Text("detail")!.ShouldContain("raise Limits:QueuedBytesPerCompany");

        (await server.CountStoredRowsAsync(_company)).ShouldBe(0);
        await QueueAsync(_company, Queued);
    }

    [Fact]
    public async Task Of_two_uploads_at_the_limit_one_gets_in()
    {
        for (var round = 0; round < 5; round++)
        {
            var company = ApiServer.NewCompany();
            using var hold = server.Store.HoldWork();
            using var first = await UploadAsync(company, records: Queued - 10);
            using var second = await UploadAsync(company, records: 5);

            var ends = await Task.WhenAll(first.EndAsync(moreRecords: 5), second.EndAsync(moreRecords: Queued - 10));

            ends.Select(end => end["HTTP/1.1 ".Length..12]).Order().ShouldBe(["202", "429"]);
            var used = (await LimitsAsync(company)).GetProperty("queued_records").GetProperty("used").GetInt64();
            used.ShouldBe(Queued - 4);
            hold.Dispose();
            await UntilAsync(async () => (await LimitsAsync(company)).GetProperty("queued_records").GetProperty("used").GetInt64() == 0);
        }
    }

    [Fact]
    public async Task A_server_that_is_full_says_so_and_tells_nobody_what_others_have_queued()
    {
        using var hold = server.Store.HoldWork();
        await QueueAsync(ApiServer.NewCompany(), Queued);
        await QueueAsync(ApiServer.NewCompany(), Queued);
        (await PostAsync(ApiServer.NewCompany(), AllQueued - Queued - Queued - 5)).StatusCode.ShouldBe(HttpStatusCode.Accepted);

        var answer = await PostAsync(_company, 6);
        var problem = await answer.ShouldBeProblemAsync(503, "server_busy");
        problem.Text("detail")!.ShouldContain($"{AllQueued} records (Limits:QueuedRecords)");
        problem.Text("detail")!.ShouldNotContain($"{AllQueued - 5}");
        answer.Headers.RetryAfter.ShouldNotBeNull();
        var limits = await LimitsAsync(_company);
        limits.GetProperty("queued_records").GetProperty("used").GetInt64().ShouldBe(0);
        limits.GetRawText().ShouldNotContain($"{AllQueued}");

        (await PostAsync(_company, 5)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    // Asking.

    [Fact]
    public async Task A_callers_limits_are_told_with_what_is_left()
    {
        var client = Client(_company, "client");
        await client.SendAsync(HttpMethod.Get, "cases");

        var limits = await (await client.SendAsync(HttpMethod.Get, "limits")).JsonAsync();

        limits.MemberNames().ShouldBe(["client_requests", "company_requests", "open_uploads", "queued_records", "queued_bytes", "bulk_request"]);
        limits.GetProperty("client_requests").MemberNames().ShouldBe(["per_second", "burst", "remaining", "reset_seconds"]);
        limits.GetProperty("client_requests").GetProperty("remaining").GetInt64().ShouldBeInRange(Burst - 2, Burst - 1);
        limits.GetProperty("company_requests").GetProperty("burst").GetInt32().ShouldBe(CompanyBurst);
        limits.GetProperty("queued_bytes").GetRawText().ShouldBe($$"""{"limit":{{QueuedBytes}},"used":0,"remaining":{{QueuedBytes}}}""");
        limits.GetProperty("bulk_request").GetProperty("max_body_bytes").GetInt64().ShouldBe(ApiServer.MaxBodyBytes);
    }

    [Fact]
    public async Task What_cannot_be_stored_for_want_of_room_is_told_apart_from_a_store_that_is_away()
    {
        using (server.Store.TakeAway(isDiskLow: true))
        {
            var answer = await PostAsync(_company, 1);
            await answer.ShouldBeProblemAsync(503, "disk_low");
            answer.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(60));
        }

        await UntilAsync(async () => (await PostAsync(_company, 1)).StatusCode == HttpStatusCode.Accepted);
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        deadline.CancelAfter(Patience);
        while (!await isSo())
            await Task.Delay(TimeSpan.FromMilliseconds(250), TimeProvider.System, deadline.Token);
    }

    // A client of its own for each question, so that no test meets the limit of requests by the way.
    private HttpClient Client(Guid company, string? client = null) =>
        server.ClientOf(company, "jobs:read cases:read cases:write", client ?? $"{Guid.CreateVersion7()}");

    private async Task<JsonElement> LimitsAsync(Guid company) => await (await Client(company).SendAsync(HttpMethod.Get, "limits")).JsonAsync();

    private Task<HttpResponseMessage> PostAsync(Guid company, int records, string notes = "") =>
        Client(company).SendJsonAsync(HttpMethod.Post, "cases/bulk", $"[{string.Join(',', Enumerable.Repeat($$"""{"notes":"{{notes}}"}""", records))}]");

    // What the test before had queued may be counted for a moment after it has ended.
    private async Task QueueAsync(Guid company, int records, string notes = "") =>
        await UntilAsync(async () =>
        {
            var answer = await PostAsync(company, records, notes);
            ((int)answer.StatusCode).ShouldBeOneOf(202, 503);
            return answer.StatusCode == HttpStatusCode.Accepted;
        });

    private static string Head(Guid company, string headers) =>
        $"POST {ApiServer.Prefix}/cases/bulk HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TestAuthentication.Token(company, "cases:write", $"{Guid.CreateVersion7()}")}\r\n"
        + $"Content-Type: application/json\r\n{headers}\r\n\r\n";

    private async Task<RawClient> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync(server.Address.Host, server.Address.Port, Cancel);
        return new(client);
    }

    /// <summary>Begins an upload that goes on when the test says so; its first chunk is stored.</summary>
    private async Task<RawClient> UploadAsync(Guid company, int records = ApiServer.ChunkRecords + 1)
    {
        var open = (await LimitsAsync(company)).GetProperty("open_uploads").GetProperty("used").GetInt64();
        var client = await ConnectAsync();
        await client.SendAsync(Head(company, "Transfer-Encoding: chunked"));
        await client.SendChunkAsync($"[{string.Concat(Enumerable.Repeat("{},", records))}");
        await UntilAsync(async () => (await LimitsAsync(company)).GetProperty("open_uploads").GetProperty("used").GetInt64() > open);
        return client;
    }

    private sealed class RawClient(TcpClient client) : IDisposable
    {
        public void Dispose() => client.Dispose();

        public void HangUp()
        {
            client.LingerState = new(enable: true, seconds: 0);
            client.Close();
        }

        public async Task SendAsync(string text) => await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text), Cancel);

        public Task SendChunkAsync(string text) => SendAsync($"{text.Length:x}\r\n{text}\r\n");

        /// <summary>Ends the body.</summary>
        /// <returns>The answer's head.</returns>
        public async Task<string> EndAsync(int moreRecords = 0)
        {
            await SendChunkAsync($"{string.Concat(Enumerable.Repeat("{},", moreRecords))}{{}}]");
            await SendAsync("0\r\n\r\n");
            return await ReadHeadAsync();
        }

        public async Task<string> ReadHeadAsync()
        {
            var head = new StringBuilder();
            var buffer = new byte[1];
            while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                (await client.GetStream().ReadAsync(buffer, Cancel).AsTask().WaitAsync(Patience, Cancel)).ShouldBe(1, head.ToString());
                head.Append((char)buffer[0]);
            }

            return head.ToString();
        }
    }
}
