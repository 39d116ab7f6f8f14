using ApiJobs.Admission;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;
using Microsoft.Extensions.Time.Testing;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>What a node lets into a queue, of what it knows: how often it asks the store, and who gets in of those who do not fit together.</summary>
public sealed class QueueGaugeTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly CountedStore _store = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task However_many_come_in_the_store_is_asked_once_a_second()
    {
        var gauge = Gauge(records: 1_000);
        for (var request = 0; request < 100; request++)
            (await SealAsync(gauge, records: 1)).ShouldBeTrue();
        _store.Looks.ShouldBe(1);

        _time.Advance(TimeSpan.FromSeconds(1));
        (await SealAsync(gauge, records: 1)).ShouldBeTrue();
        _store.Looks.ShouldBe(2);
    }

    [Fact]
    public async Task However_many_are_refused_the_store_is_asked_ten_times_a_second()
    {
        _store.Backlog = new(10, 0);
        var gauge = Gauge(records: 10);
        for (var request = 0; request < 100; request++)
        {
            (await gauge.TryEnterAsync(Cancel)).ShouldBeNull();
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }

        _store.Looks.ShouldBeInRange(9, 11);
    }

    [Fact]
    public async Task What_was_sealed_here_counts_before_the_store_says_so_and_not_twice_when_it_does()
    {
        var gauge = Gauge(records: 10);
        (await SealAsync(gauge, records: 6)).ShouldBeTrue();
        gauge.Used.Records.ShouldBe(6);
        (await SealAsync(gauge, records: 6)).ShouldBeFalse();

        _store.Backlog = new(6, 0);
        _time.Advance(TimeSpan.FromSeconds(1));
        (await SealAsync(gauge, records: 4)).ShouldBeTrue();
        gauge.Used.Records.ShouldBe(10);

        // It is looked at again before anybody is refused: both have ended.
        _store.Backlog = default;
        _time.Advance(TimeSpan.FromMilliseconds(100));
        (await SealAsync(gauge, records: 10)).ShouldBeTrue();
    }

    [Fact]
    public async Task Who_does_not_fit_gives_back_all_of_what_it_had_taken()
    {
        var gauge = Gauge(records: 10);
        using (var place = (await gauge.TryEnterAsync(Cancel)).ShouldNotBeNull())
        {
            (await GrowAsync(place, 9)).ShouldBeTrue();
            (await GrowAsync(place, 11)).ShouldBeFalse();
            gauge.Used.Records.ShouldBe(9);
        }

        gauge.Used.ShouldBe(default);
        (await SealAsync(gauge, records: 10)).ShouldBeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_two_that_do_not_fit_together_one_gets_in(bool isTheFirstTheFirstToEnd)
    {
        var gauge = Gauge(records: 10);
        using var first = (await gauge.TryEnterAsync(Cancel)).ShouldNotBeNull();
        using var second = (await gauge.TryEnterAsync(Cancel)).ShouldNotBeNull();
        (await GrowAsync(first, 4)).ShouldBeTrue();
        (await GrowAsync(second, 6)).ShouldBeTrue();

        if (isTheFirstTheFirstToEnd)
        {
            (await GrowAsync(first, 8, isLast: true)).ShouldBeTrue();
            (await GrowAsync(second, 8, isLast: true)).ShouldBeFalse();
        }
        else
        {
            // The first, which came before, has taken what the second lacks; but not what it has already.
            (await GrowAsync(second, 8)).ShouldBeFalse();
            (await GrowAsync(second, 6, isLast: true)).ShouldBeTrue();
            (await GrowAsync(first, 8, isLast: true)).ShouldBeFalse();
            (await GrowAsync(first, 4, isLast: true)).ShouldBeTrue();
        }
    }

    [Fact]
    public async Task What_is_being_sealed_counts_for_those_before_it_too()
    {
        var gauge = Gauge(records: 10);
        using var first = (await gauge.TryEnterAsync(Cancel)).ShouldNotBeNull();
        using var second = (await gauge.TryEnterAsync(Cancel)).ShouldNotBeNull();

        (await GrowAsync(second, 7, isLast: true)).ShouldBeTrue();
        (await GrowAsync(first, 4)).ShouldBeFalse();
        second.Dispose();
        (await GrowAsync(first, 4)).ShouldBeTrue();
    }

    [Fact]
    public async Task Whatever_many_do_at_once_never_more_gets_in_than_fits()
    {
        var gauge = Gauge(records: 1_000);
        var let = 0L;
        await Task.WhenAll(Enumerable.Range(1, 200).Select(number => Task.Run(async () =>
        {
            using var place = await gauge.TryEnterAsync(Cancel);
            if (place is null)
                return;
            for (var records = 1; records < number % 40; records++)
            {
                if (!await GrowAsync(place, records))
                    return;
            }

            if (!await GrowAsync(place, 40, isLast: true))
                return;
            Interlocked.Add(ref let, 40);
            if (number % 2 == 0)
                place.Seal();
            else
                Interlocked.Add(ref let, -40);
        }, Cancel)));

        let.ShouldBeInRange(40, 1_000);
        gauge.Used.Records.ShouldBe(let);
    }

    [Fact]
    public async Task Bytes_and_records_are_bounded_each_by_its_own()
    {
        var gauge = new QueueGauge(_store, null, new(10, 100), _time);
        using var place = (await gauge.TryEnterAsync(Cancel)).ShouldNotBeNull();

        (await place.TryGrowAsync(new(10, 101), isLast: false, Cancel)).ShouldBeFalse();
        (await place.TryGrowAsync(new(11, 100), isLast: false, Cancel)).ShouldBeFalse();
        (await place.TryGrowAsync(new(10, 100), isLast: true, Cancel)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_store_that_is_away_refuses_for_its_own_reason_and_is_asked_again()
    {
        var gauge = Gauge(records: 10);
        _store.IsAway = true;
        await Should.ThrowAsync<StoreUnavailableException>(async () => await gauge.TryEnterAsync(Cancel));
        _store.IsAway = false;

        (await SealAsync(gauge, records: 10)).ShouldBeTrue();
    }

    private QueueGauge Gauge(long records) => new(_store, null, new(records, long.MaxValue / 4), _time);

    private static async Task<bool> SealAsync(QueueGauge gauge, long records)
    {
        using var place = await gauge.TryEnterAsync(Cancel);
        if (place is null || !await GrowAsync(place, records, isLast: true))
            return false;
        place.Seal();
        return true;
    }

    private static ValueTask<bool> GrowAsync(GaugePlace place, long records, bool isLast = false) =>
        place.TryGrowAsync(new(records, 0), isLast, Cancel);

    // Of a store, a gauge asks nothing else.
    private sealed class CountedStore() : StoreDecorator(null!, null!, null!)
    {
        private int _looks;

        public Backlog Backlog { get; set; }

        public bool IsAway { get; set; }

        public int Looks => _looks;

        public override Task<Backlog> ReadBacklogAsync(Guid? companyId, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _looks);
            return IsAway ? throw new StoreUnavailableException("Away.") : Task.FromResult(Backlog);
        }
    }
}
