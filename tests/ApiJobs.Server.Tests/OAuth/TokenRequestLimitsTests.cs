using System.Net;
using ApiJobs.Server.OAuth;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace ApiJobs.Server.Tests.OAuth;

public sealed class TokenRequestLimitsTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private static readonly TokenCaller Caller = new(IPAddress.Loopback, "demo");

    [Fact]
    public async Task While_a_secret_is_checked_a_hundred_wait_for_their_turn_in_order_and_more_are_told_to_come_again()
    {
        using var limits = new TokenRequestLimits(new() { ConcurrentSecretChecks = 1, TokenRequestsPerMinutePerClient = 1_000 });
        var (first, _) = await limits.EnterAsync(Caller, Cancel);
        var waiting = Enumerable.Range(0, 100).Select(_ => limits.EnterAsync(Caller, Cancel).AsTask()).ToList();
        waiting.ShouldAllBe(turn => !turn.IsCompleted);

        var (refused, retryAfter) = await limits.EnterAsync(Caller, Cancel);
        refused.ShouldBeNull();
        retryAfter.ShouldBe(TimeSpan.FromSeconds(1));

        first!.Dispose();
        var (second, _) = await waiting[0];
        waiting.Skip(1).ShouldAllBe(turn => !turn.IsCompleted);
        second!.Dispose();
        (await waiting[1]).Turn.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_client_is_limited_where_it_comes_from_and_nobody_elsewhere_can_keep_it_out()
    {
        using var limits = new TokenRequestLimits(new() { TokenRequestsPerMinutePerClient = 1 });
        (await EnterAsync(limits, Caller)).ShouldBeTrue();
        (await EnterAsync(limits, Caller)).ShouldBeFalse();

        // One of a few at least has a place of its own.
        var others = new List<bool>();
        for (var last = 1; last < 10; last++)
            others.Add(await EnterAsync(limits, Caller with { Address = IPAddress.Parse($"192.0.2.{last}") }));
        others.ShouldContain(true);
    }

    [Fact]
    public void Callers_are_counted_in_a_fixed_number_of_places() =>
        Enumerable.Range(-500_000, 1_000_000).Select(hash => TokenRequestLimits.PlaceOf(hash * 7_919)).ShouldAllBe(place => place >= 0 && place < TokenRequestLimits.Places);

    [Theory]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    public void The_addresses_that_one_owner_can_choose_from_count_as_one(string one, string other, bool same) =>
        (TokenRequestLimits.NetworkOf(IPAddress.Parse(one)) == TokenRequestLimits.NetworkOf(IPAddress.Parse(other))).ShouldBe(same);

    [Fact]
    public void A_flood_of_requests_is_not_a_flood_of_lines()
    {
        var time = new FakeTimeProvider();
        var lines = new LineCounter();
        var log = new LimitLog(time, lines);
        for (var request = 0; request < 1_000; request++)
            log.Tell(Caller);
        time.Advance(TimeSpan.FromSeconds(1));
        log.Tell(Caller);
        lines.Lines.Count.ShouldBe(2);
        lines.Lines[1].ShouldContain("999 requests before it");
    }

    private static async Task<bool> EnterAsync(TokenRequestLimits limits, TokenCaller caller)
    {
        var (turn, _) = await limits.EnterAsync(caller, Cancel);
        turn?.Dispose();
        return turn is not null;
    }

    private sealed class LineCounter : ILogger<LimitLog>
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Lines.Add(formatter(state, exception));
    }
}
