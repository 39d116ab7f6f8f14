using ApiJobs.Benchmarks.Data;

namespace ApiJobs.Benchmarks.Engine;

/// <summary>A company whose import keeps the worker busy for as long as others are measured.</summary>
internal sealed class HugeJob(Company company, int cases, int records, CancellationToken cancellationToken)
{
    private readonly CaseGenerator _generator = new(Bench.Seed);
    private Guid _job;
    private int _version = 1;

    /// <summary>Whether the job is being worked on right now.</summary>
    public async Task<bool> IsRunningAsync() => _job != Guid.Empty && (await company.GetAsync(_job, cancellationToken)).Status == "processing";

    /// <summary>Sees to it that the job is being worked on; sends another where the last one has ended.</summary>
    public async Task EnsureRunningAsync()
    {
        while (!await IsRunningAsync())
        {
            if (_job == Guid.Empty || (await company.GetAsync(_job, cancellationToken)).HasEnded)
                await SendAsync();
            else
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
        }
    }

    private async Task SendAsync()
    {
        var version = _version;
        _version += 1 + (records / cases);
        using var body = new BulkBody(BodyFormat.Json, (count, _) => count >= records, (writer, record) =>
            _generator.WriteUpdate(writer, record % cases, version + (int)(record / cases)));
        _job = await company.AcceptAsync(HttpMethod.Patch, body.WithContentType(), cancellationToken);
    }
}
