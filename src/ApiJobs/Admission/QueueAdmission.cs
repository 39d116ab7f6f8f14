using System.Collections.Concurrent;
using System.Globalization;
using ApiJobs.Intake;
using ApiJobs.Processing;
using ApiJobs.Storage;

namespace ApiJobs.Admission;

/// <summary>Bounds what waits, of a company and of all: a request is refused at the door while there is no room, and as soon as it brings more than there is.</summary>
internal sealed class QueueAdmission(IJobStore store, AdmissionOptions limits, WorkPace pace, TimeProvider time)
{
    // Gauges of companies that are quiet are dropped when there are more than these.
    private const int MaxQuietGauges = 1_024;

    // The limit is as old as this at the most when it is told.
    private static readonly TimeSpan ToldAge = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<Guid, QueueGauge> _companies = [];
    private readonly QueueGauge _all = new(store, companyId: null, new(Bound(limits.QueuedRecords), Bound(limits.QueuedBytes)), time);
    private readonly bool _boundsCompanies = limits is not { QueuedRecordsPerCompany: 0, QueuedBytesPerCompany: 0 };
    private readonly bool _boundsAll = limits is not { QueuedRecords: 0, QueuedBytes: 0 };

    /// <summary>Lets a request in whose body is still to be read.</summary>
    /// <returns>Its place, which is given back when it is disposed without having been sealed.</returns>
    /// <exception cref="RequestFaultException">There is no room for a single record.</exception>
    internal async ValueTask<QueuePlace> EnterAsync(Guid companyId, CancellationToken cancellationToken)
    {
        var places = new List<GaugePlace>(2);
        try
        {
            if (_boundsCompanies)
                places.Add(await EnterAsync(GaugeOf(companyId), cancellationToken));
            if (_boundsAll)
                places.Add(await EnterAsync(_all, cancellationToken));
        }
        catch
        {
            places.ForEach(place => place.Dispose());
            throw;
        }

        return new(this, places);
    }

    /// <summary>What a company has queued, to be told to it; a moment old at the most.</summary>
    internal async ValueTask<Backlog> ReadAsync(Guid companyId, CancellationToken cancellationToken)
    {
        var company = GaugeOf(companyId);
        await company.LookAsync(ToldAge, cancellationToken);
        return company.Used;
    }

    /// <summary>The refusal of a request that has more by itself than may ever be queued; null if it has not.</summary>
    internal RequestFaultException? TooLargeFor(QueueGauge gauge, Backlog whole)
    {
        var (records, bytes) = gauge == _all
            ? (nameof(limits.QueuedRecords), nameof(limits.QueuedBytes))
            : (nameof(limits.QueuedRecordsPerCompany), nameof(limits.QueuedBytesPerCompany));
        if (whole.Records > gauge.Limit.Records)
            return Fault(RequestFaultCodes.TooManyRecords, $"The request has more than {gauge.Limit.Records:N0} records, the most that may be queued. Send fewer, or raise Limits:{records}.");
        return whole.Bytes > gauge.Limit.Bytes
            ? Fault(RequestFaultCodes.BodyTooLarge, $"The records of the request take more than {gauge.Limit.Bytes:N0} bytes, the most that may be queued. Send them in several requests, or raise Limits:{bytes}.")
            : null;
    }

    /// <summary>The refusal of a request for which there is no room now.</summary>
    internal RequestFaultException FullFor(QueueGauge gauge, Backlog more) => gauge == _all ? ServerFull(more) : CompanyFull(gauge, more);

    private async ValueTask<GaugePlace> EnterAsync(QueueGauge gauge, CancellationToken cancellationToken) =>
        await gauge.TryEnterAsync(cancellationToken) ?? throw FullFor(gauge, new(1, 1));

    private RequestFaultException CompanyFull(QueueGauge gauge, Backlog more)
    {
        var (used, limit) = (gauge.Used, gauge.Limit);
        var what = (used + more).Records > limit.Records
            ? string.Create(CultureInfo.InvariantCulture, $"{used.Records:N0} records queued or on their way in; the limit is {limit.Records:N0} (Limits:{nameof(limits.QueuedRecordsPerCompany)})")
            : string.Create(CultureInfo.InvariantCulture, $"{used.Bytes:N0} bytes of records queued or on their way in; the limit is {limit.Bytes:N0} (Limits:{nameof(limits.QueuedBytesPerCompany)})");
        return Full(RequestFaultCodes.QueueFull, $"The company has {what}. Nothing of the request was kept. Send it again after the seconds that Retry-After says.", gauge, more);
    }

    // What others have queued is not told.
    private RequestFaultException ServerFull(Backlog more)
    {
        var what = (_all.Used + more).Records > _all.Limit.Records
            ? string.Create(CultureInfo.InvariantCulture, $"{_all.Limit.Records:N0} records (Limits:{nameof(limits.QueuedRecords)})")
            : string.Create(CultureInfo.InvariantCulture, $"{_all.Limit.Bytes:N0} bytes of records (Limits:{nameof(limits.QueuedBytes)})");
        return Full(
            RequestFaultCodes.ServerBusy,
            $"The server takes no more than {what} at once, of all companies together, and has no room for the request. Nothing of it was kept. Send it again after the seconds that Retry-After says.",
            _all, more);
    }

    // How long until as much is worked off as is missing, at the pace of this node; of bytes, by the records that they are.
    private RequestFaultException Full(string code, string detail, QueueGauge gauge, Backlog more)
    {
        var (used, limit) = (gauge.Used, gauge.Limit);
        var missing = used + more - limit;
        var missingShare = used.Bytes > 0 ? Math.Clamp((double)missing.Bytes / used.Bytes, 0, 1) : 0;
        var records = Math.Max(missing.Records, (long)Math.Ceiling(used.Records * missingShare));
        return new(new(code, detail) { RetryAfter = pace.EstimateFor(records) });
    }

    private QueueGauge GaugeOf(Guid companyId)
    {
        if (_companies.TryGetValue(companyId, out var gauge))
            return gauge;
        if (_companies.Count >= MaxQuietGauges)
        {
            // One that gets an upload right now goes on by itself, and its company has two for as long as that takes.
            foreach (var quiet in _companies.Where(company => company.Value.IsIdle))
                _companies.TryRemove(quiet);
        }

        return _companies.GetOrAdd(
            companyId, id => new(store, id, new(Bound(limits.QueuedRecordsPerCompany), Bound(limits.QueuedBytesPerCompany)), time));
    }

    private static RequestFaultException Fault(string code, FormattableString detail) => new(new(code, FormattableString.Invariant(detail)));

    // Far from the largest number, so that sums stay numbers.
    private static long Bound(long limit) => limit == 0 ? long.MaxValue / 4 : limit;
}

/// <summary>One request's places in the queues that are bounded: they grow while its body is read.</summary>
internal sealed class QueuePlace(QueueAdmission admission, IReadOnlyList<GaugePlace> places) : IDisposable
{
    /// <summary>Takes room for what the request has brought so far, all of it.</summary>
    /// <param name="whole">What it has brought.</param>
    /// <param name="isLast">Whether that is all, and the job will be sealed with it.</param>
    /// <param name="cancellationToken">Cancels asking the store.</param>
    /// <exception cref="RequestFaultException">There is not as much.</exception>
    internal async ValueTask GrowAsync(Backlog whole, bool isLast, CancellationToken cancellationToken)
    {
        foreach (var place in places)
        {
            if (admission.TooLargeFor(place.Gauge, whole) is { } tooLarge)
                throw tooLarge;
            var missing = place.Missing(whole);
            if (!await place.TryGrowAsync(whole, isLast, cancellationToken))
                throw admission.FullFor(place.Gauge, missing);
        }
    }

    /// <summary>The job is made: what it has is in the store's count from now on.</summary>
    internal void Seal()
    {
        foreach (var place in places)
            place.Seal();
    }

    /// <summary>Gives back what was not sealed.</summary>
    public void Dispose()
    {
        foreach (var place in places)
            place.Dispose();
    }
}
