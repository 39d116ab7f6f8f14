using System.Diagnostics;
using ApiJobs.Benchmarks.Data;

namespace ApiJobs.Benchmarks.Engine;

/// <summary>Many callers that send one update each, again and again, each for one company and on its own kept connection.</summary>
internal sealed class OneRecordJobs(EngineServer server, int clients)
{
    private const int CheckedPerCompany = 20;

    private readonly CaseGenerator _cases = new(Bench.Seed);

    /// <summary>Sends jobs, and waits until the last of them has ended.</summary>
    /// <param name="count">How many jobs in all; every company has the same number.</param>
    /// <param name="version">The first version of the notes that no case has yet; each run through all cases takes one more.</param>
    /// <param name="cases">How many cases every company has.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Jobs per second, from the first request to the end of the last job.</returns>
    public async Task<double> RunAsync(int count, int version, int cases, CancellationToken cancellationToken)
    {
        var companies = server.Companies.Count;
        var perCompany = count / companies;
        // Made before the clock starts: the callers' work is not what is measured.
        var bodies = Enumerable.Range(0, perCompany)
            .Select(job => BulkBody.Make(1, (writer, _) => _cases.WriteUpdate(writer, job % cases, version + (job / cases))))
            .ToArray();
        var jobs = Enumerable.Range(0, companies).Select(_ => new Guid[perCompany]).ToArray();
        var next = Enumerable.Repeat(-1, companies).ToArray();
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Run(() => SendAsync(client % companies), cancellationToken)));
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await CheckAsync(jobs, cancellationToken);
        return perCompany * companies / seconds;

        async Task SendAsync(int company)
        {
            var last = Guid.Empty;
            for (var job = Interlocked.Increment(ref next[company]); job < perCompany; job = Interlocked.Increment(ref next[company]))
                last = jobs[company][job] = await server.Companies[company].AcceptAsync(HttpMethod.Patch, Company.Json(bodies[job]), cancellationToken);
            // A company's jobs end in the order accepted, and the last of them is the last of one of its callers.
            if (last != Guid.Empty)
                await server.Companies[company].WaitAsync(last, cancellationToken);
        }
    }

    private async Task CheckAsync(Guid[][] jobs, CancellationToken cancellationToken)
    {
        foreach (var (company, ids) in server.Companies.Zip(jobs))
        {
            for (var job = 0; job < ids.Length; job += Math.Max(1, ids.Length / CheckedPerCompany))
                await company.WaitUntilEffectedAsync(ids[job], 1, cancellationToken);
        }
    }
}
