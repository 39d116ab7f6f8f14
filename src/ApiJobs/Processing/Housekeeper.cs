using ApiJobs.Intake;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Processing;

/// <summary>Removes what nobody needs any longer: parts of broken uploads, and what ended longer ago than it is to be kept.</summary>
/// <remarks>
/// It works in small transactions, and rests after each for as long as it took, so that accepting and applying hardly
/// notice. Several nodes may do this at the same time; whatever breaks off is taken up by the next round.
/// </remarks>
internal sealed class Housekeeper(
    IUpkeep store, IntakeOptions intake, RetentionOptions retention, Outage outage, TimeProvider time, ILogger logger)
{
    private const int CompaniesAtOnce = 100;

    // A rehearsal of a million records leaves some hundred megabytes; the next may begin at once.
    private static readonly TimeSpan RehearsalInterval = TimeSpan.FromSeconds(30);

    /// <summary>Keeps house until <paramref name="stopping"/>.</summary>
    public Task RunAsync(CancellationToken stopping)
    {
        var loops = new List<(string Name, Func<CancellationToken, Task> RunAsync)>
        {
            ("sweeper of uploads", token => RepeatAsync(intake.UploadExpiry / 4, SweepUploadsAsync, token)),
            ("sweeper of rehearsals", token => RepeatAsync(RehearsalInterval, SweepRehearsalsAsync, token)),
        };
        if (retention is not { Records: null, Jobs: null })
            loops.Add(("remover of what ended", token => RepeatAsync(retention.Interval, RemoveEndedAsync, token)));
        return BackgroundLoops.RunAsync(stopping, loops);
    }

    /// <summary>Removes what has been kept long enough by now.</summary>
    internal async Task RemoveEndedAsync(CancellationToken stopping)
    {
        var steps = 0;
        Guid? after = null;
        IReadOnlyList<Guid> companies;
        do
        {
            companies = await store.ReadCompaniesAsync(after, CompaniesAtOnce, stopping);
            foreach (var company in companies)
            {
                if (retention.Records is { } records)
                    steps += await RemoveAsync(company, records, EndedPart.Records, stopping);
                if (retention.Jobs is { } jobs)
                    steps += await RemoveAsync(company, jobs, EndedPart.Jobs, stopping);
                after = company;
            }
        }
        while (companies.Count == CompaniesAtOnce);
        if (steps > 0)
            logger.EndedRemoved(steps);
    }

    private async Task<int> RemoveAsync(Guid company, TimeSpan keptFor, EndedPart part, CancellationToken stopping)
    {
        for (var steps = 0; ; steps++)
        {
            var began = time.GetTimestamp();
            if (!await store.RemoveEndedAsync(company, keptFor, part, stopping))
                return steps;
            await Task.Delay(time.GetElapsedTime(began), time, stopping);
        }
    }

    private async Task SweepRehearsalsAsync(CancellationToken stopping)
    {
        while (true)
        {
            var began = time.GetTimestamp();
            if (!await store.SweepRehearsalsAsync(stopping))
                return;
            await Task.Delay(time.GetElapsedTime(began), time, stopping);
        }
    }

    private async Task SweepUploadsAsync(CancellationToken stopping)
    {
        var swept = await store.SweepUploadsAsync(intake.UploadExpiry, stopping);
        if (swept > 0)
            logger.UploadsSwept(swept);
    }

    private async Task RepeatAsync(TimeSpan interval, Func<CancellationToken, Task> round, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            do
            {
                try
                {
                    await round(stopping);
                }
                catch (Exception exception) when (!stopping.IsCancellationRequested)
                {
                    // Nobody's request hangs on it: whatever it is, the server goes on.
                    if (exception is StoreUnavailableException away)
                        outage.Note(away);
                    else
                        logger.HousekeepingFailed(exception, interval);
                }
            }
            while (await timer.WaitForNextTickAsync(stopping));
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }
}
