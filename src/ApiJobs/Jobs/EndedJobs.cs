using System.Runtime.InteropServices;
using Microsoft.Extensions.Caching.Memory;

namespace ApiJobs.Jobs;

/// <summary>Ended jobs that were asked for lately. An ended job never changes, so a copy of it is as good as the store's.</summary>
internal sealed class EndedJobs : IDisposable
{
    private const long MaxBytes = 64L << 20;

    // What a job takes beside its texts, roughly.
    private const int BaseBytes = 1_024;

    // Not longer, however often they are asked for: retention may have removed them, here or on another node.
    private static readonly MemoryCacheEntryOptions Entry = new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(10) };

    private readonly MemoryCache _jobs = new(new MemoryCacheOptions { SizeLimit = MaxBytes });

    public EndedJob? Find(Guid companyId, Guid jobId) => _jobs.Get<EndedJob>((companyId, jobId));

    public void Keep(EndedJob ended)
    {
        using var entry = _jobs.CreateEntry((ended.Job.CompanyId, ended.Job.Id));
        entry.SetOptions(Entry);
        // Twice, because whoever shows the job keeps its rendered text as long as the job is kept.
        entry.Size = BaseBytes + (2 * MemoryMarshal.AsBytes(ended.Message.AsSpan()).Length);
        entry.Value = ended;
    }

    public void Dispose() => _jobs.Dispose();
}

/// <summary>An ended job with the entries of its message.</summary>
internal sealed record EndedJob(ApiJob Job, string Message);
