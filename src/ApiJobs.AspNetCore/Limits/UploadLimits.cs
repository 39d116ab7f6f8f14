using System.Threading.RateLimiting;
using ApiJobs.Admission;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Jobs;

namespace ApiJobs.AspNetCore.Limits;

/// <summary>Bounds the bulk requests that are on their way in, of a company and of all: each holds memory for as long as its sender likes.</summary>
internal sealed class UploadLimits : IDisposable
{
    // An upload of a few records takes some milliseconds; a slow one, as long as it wants.
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private readonly AdmissionOptions _options;
    private readonly PartitionedRateLimiter<Guid> _ofCompanies;
    private readonly ConcurrencyLimiter? _ofAll;

    public UploadLimits(AdmissionOptions options)
    {
        _options = options;
        _ofCompanies = PartitionedRateLimiter.Create<Guid, Guid>(company => options.OpenUploadsPerCompany == 0
            ? RateLimitPartition.GetNoLimiter(company)
            : RateLimitPartition.GetConcurrencyLimiter(company, _ => new() { PermitLimit = options.OpenUploadsPerCompany, QueueLimit = 0 }));
        _ofAll = options.OpenUploads == 0 ? null : new(new() { PermitLimit = options.OpenUploads, QueueLimit = 0 });
    }

    /// <summary>Begins an upload, before its body is read.</summary>
    /// <returns>What ends it.</returns>
    /// <exception cref="ProblemException">There are too many.</exception>
    public IDisposable Open(Guid companyId)
    {
        var ofCompany = _ofCompanies.AttemptAcquire(companyId);
        if (!ofCompany.IsAcquired)
        {
            ofCompany.Dispose();
            throw Problems.TooManyUploads.Refusal(
                $"The company has {_options.OpenUploadsPerCompany} uploads open, the limit (Limits:{nameof(_options.OpenUploadsPerCompany)}). Wait for one of them to end, and send this one again.",
                RetryAfterHeader.Of(Retry));
        }

        if (_ofAll?.AttemptAcquire() is not { } ofAll)
            return ofCompany;
        if (ofAll.IsAcquired)
            return new Both(ofCompany, ofAll);
        ofCompany.Dispose();
        ofAll.Dispose();
        throw Problems.ServerBusy.Refusal(
            $"The server has {_options.OpenUploads} uploads open, of all companies together, the limit (Limits:{nameof(_options.OpenUploads)}). Send the request again after the seconds that Retry-After says.",
            RetryAfterHeader.Of(Retry));
    }

    /// <summary>How many uploads of a company are open; null if they are not bounded, and so not counted.</summary>
    public long? OpenOf(Guid companyId) => _options.OpenUploadsPerCompany == 0
        ? null
        : _options.OpenUploadsPerCompany - _ofCompanies.GetStatistics(companyId)!.CurrentAvailablePermits;

    public void Dispose()
    {
        _ofCompanies.Dispose();
        _ofAll?.Dispose();
    }

    private sealed class Both(IDisposable first, IDisposable second) : IDisposable
    {
        public void Dispose()
        {
            second.Dispose();
            first.Dispose();
        }
    }
}
