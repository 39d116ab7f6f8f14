using System.Globalization;
using System.Threading.RateLimiting;
using ApiJobs.Admission;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.AspNetCore.Jobs;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Limits;

/// <summary>The guard's step that counts a caller's requests, and refuses what is more than its client, or its company, may send. Every answer says what is left.</summary>
/// <remarks>
/// Client ids come from tokens, and an issuer may make up many: within a company they are counted in a fixed number of places, so that
/// two clients of one company may share a limit, which is rare, and nobody ever shares one with another company. Buckets
/// that are full again are dropped.
/// </remarks>
internal sealed class RequestLimits : IDisposable
{
    /// <summary>In how many places the clients of a company are counted.</summary>
    internal const int PlacesOfCompany = 1_024;

    private readonly IReadOnlyList<RequestLimit> _limits;
    private readonly string _policies;

    public RequestLimits(AdmissionOptions options)
    {
        // The client first: what one of them sends too much does not cost the company's others their share.
        Client = options.RequestsPerSecondPerClient == 0 ? null : RequestLimit.Create(
            "client", nameof(options.RequestsPerSecondPerClient), options.RequestsPerSecondPerClient, options.RequestBurstPerClient,
            caller => (caller.CompanyId, PlaceOf(caller.ClientId)));
        Company = options.RequestsPerSecondPerCompany == 0 ? null : RequestLimit.Create(
            "company", nameof(options.RequestsPerSecondPerCompany), options.RequestsPerSecondPerCompany, options.RequestBurstPerCompany,
            caller => caller.CompanyId);
        _limits = [.. new[] { Client, Company }.OfType<RequestLimit>()];
        _policies = string.Join(", ", _limits.Select(limit => limit.Policy));
    }

    /// <summary>The limit of each client; null for none.</summary>
    public RequestLimit? Client { get; }

    /// <summary>The limit of all clients of a company together; null for none.</summary>
    public RequestLimit? Company { get; }

    /// <summary>Counts a request.</summary>
    public ValueTask<bool> CheckAsync(HttpContext context)
    {
        if (_limits.Count == 0)
            return ValueTask.FromResult(true);
        var caller = context.Caller();
        var exceeded = _limits.FirstOrDefault(limit => !limit.Take(caller));
        // Once an endpoint answers, its headers are on the way already.
        context.Response.Headers["RateLimit-Policy"] = _policies;
        context.Response.Headers["RateLimit"] = string.Join(", ", _limits.Select(limit => limit.LeftOf(caller)));
        return exceeded is null ? ValueTask.FromResult(true) : throw exceeded.Refusal();
    }

    public void Dispose()
    {
        foreach (var limit in _limits)
            limit.Dispose();
    }

    // A hash that is another one in each process, so that nobody can choose ids that meet.
    private static int PlaceOf(string? clientId) =>
        clientId is null ? PlacesOfCompany : (int)((uint)string.GetHashCode(clientId, StringComparison.Ordinal) % PlacesOfCompany);
}

/// <summary>How many requests somebody may send: a bucket that holds a burst, and is filled at a rate.</summary>
/// <param name="name">Its name in the headers.</param>
/// <param name="setting">The setting that it comes from.</param>
/// <param name="perSecond">How many tokens come into the bucket.</param>
/// <param name="burst">How many it holds.</param>
/// <param name="buckets">The buckets.</param>
internal sealed class RequestLimit(string name, string setting, int perSecond, int burst, PartitionedRateLimiter<ApiJobCaller> buckets) : IDisposable
{
    public int PerSecond => perSecond;

    public int Burst => burst;

    /// <summary>The limit in the field RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10): the burst, and the seconds that filling the bucket takes.</summary>
    public string Policy { get; } = string.Create(CultureInfo.InvariantCulture, $"\"{name}\";q={burst};w={(burst + perSecond - 1) / perSecond}");

    public static RequestLimit Create<TKey>(string name, string setting, int perSecond, int burst, Func<ApiJobCaller, TKey> key)
        where TKey : notnull
    {
        var options = new TokenBucketRateLimiterOptions
        {
            TokenLimit = burst,
            TokensPerPeriod = 1,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1) / perSecond,
            QueueLimit = 0,
            AutoReplenishment = false,
        };
        return new(name, setting, perSecond, burst, PartitionedRateLimiter.Create<ApiJobCaller, TKey>(
            caller => RateLimitPartition.GetTokenBucketLimiter(key(caller), _ => options)));
    }

    /// <summary>Takes a token for a request.</summary>
    /// <returns>False if there is none.</returns>
    public bool Take(ApiJobCaller caller)
    {
        using var token = buckets.AttemptAcquire(caller);
        return token.IsAcquired;
    }

    /// <summary>What is left, and in how many seconds the bucket is full.</summary>
    public (long Requests, long FullInSeconds) Left(ApiJobCaller caller)
    {
        var left = buckets.GetStatistics(caller)?.CurrentAvailablePermits ?? burst;
        return (left, (burst - left + perSecond - 1) / perSecond);
    }

    /// <summary>What is left, in the field RateLimit.</summary>
    public string LeftOf(ApiJobCaller caller)
    {
        var (requests, fullInSeconds) = Left(caller);
        return string.Create(CultureInfo.InvariantCulture, $"\"{name}\";r={requests};t={fullInSeconds}");
    }

    /// <summary>The refusal of a request without a token. A second later there is one.</summary>
    public ProblemException Refusal() => Problems.TooManyRequests.Refusal(
        $"The {name} sent more than {perSecond} requests a second, after {burst} at once (Limits:{setting}). Send it again after the seconds that Retry-After says, and fewer at once: "
        + "one bulk request may bring any number of records.",
        RetryAfterHeader.Of(TimeSpan.FromSeconds(1)));

    public void Dispose() => buckets.Dispose();
}
