using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.PostgreSql.Accepting;

/// <summary>Writes together what arrives together, so that one commit, and one lock on a lane's tail, serves many callers.</summary>
internal sealed class AcceptQueue : IAsyncDisposable
{
    /// <summary>The most acceptances that are written together.</summary>
    internal const int MaxGroup = 256;

    // A group is closed when it has reached this, so it holds at most one chunk more.
    private const int GroupBytes = 4 << 20;

    // Callers beyond these wait for room; they hold their chunk themselves.
    private const int Capacity = 1_024;

    // While one writer waits for the disk, the other works. Each has companies of its own: two groups of the same company
    // would wait for each other's locks on the tails of its lanes.
    private const int Writers = 2;

    // A company whose locks somebody held for too long is written apart from the others for so long, and waits less.
    private static readonly TimeSpan SetAsideFor = TimeSpan.FromSeconds(15);

    private readonly AcceptGroup _group;
    private readonly Channel<Acceptance>[] _waiting =
        [.. Enumerable.Range(0, Writers).Select(_ => Channel.CreateBounded<Acceptance>(Capacity))];

    private readonly ConcurrentDictionary<Guid, long> _setAside = new();
    private readonly Task[] _writers;

    internal AcceptQueue(AcceptGroup group)
    {
        _group = group;
        _writers = [.. _waiting.Select(waiting => Task.Run(() => WriteGroupsAsync(waiting.Reader)))];
    }

    /// <summary>Stores a chunk, in one transaction with others that wait. Cancelling works until the writing begins.</summary>
    internal async Task<AcceptResult> AcceptAsync(Acceptance acceptance, CancellationToken cancellationToken)
    {
        var waiting = _waiting[(uint)acceptance.CompanyId.GetHashCode() % Writers];
        await waiting.Writer.WriteAsync(acceptance, cancellationToken);
        await using var cancelling = cancellationToken.Register(() =>
        {
            if (acceptance.TryTake())
                acceptance.Fail(new OperationCanceledException(cancellationToken));
        });
        return await acceptance.Settled;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var waiting in _waiting)
            waiting.Writer.TryComplete();
        await Task.WhenAll(_writers);
    }

    private async Task WriteGroupsAsync(ChannelReader<Acceptance> waiting)
    {
        var group = new List<Acceptance>();
        while (await waiting.WaitToReadAsync())
        {
            group.Clear();
            for (var bytes = 0; group.Count < MaxGroup && bytes < GroupBytes && waiting.TryRead(out var acceptance);)
            {
                if (!acceptance.TryTake())
                    continue;
                group.Add(acceptance);
                bytes += acceptance.Chunk.Payload.Length;
            }

            if (group.Count > 0)
                await WriteAsync(group);
        }
    }

    /// <summary>Writes a group; what does not let itself be written together, company by company, and then one by one.</summary>
    private async Task WriteAsync(List<Acceptance> group)
    {
        var companies = group.ToLookup(acceptance => acceptance.CompanyId);
        var together = companies.Where(company => !IsSetAside(company.Key)).SelectMany(company => company).ToList();
        if (companies.Count > 1 && together.Count > 0)
        {
            try
            {
                await WriteOnceMoreIfLostAsync(together);
                foreach (var company in companies.Where(company => IsSetAside(company.Key)))
                    await WriteCompanyAsync([.. company]);
                return;
            }
#pragma warning disable CA1031 // The writer must live on; each company gets an answer of its own below.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                if (!IsStatements(exception))
                {
                    group.ForEach(acceptance => acceptance.Fail(exception));
                    return;
                }
            }
        }

        // Those that somebody keeps waiting come last.
        foreach (var company in companies.OrderBy(company => IsSetAside(company.Key)))
            await WriteCompanyAsync([.. company]);
    }

    private async Task WriteCompanyAsync(List<Acceptance> group)
    {
        try
        {
            await WriteOnceMoreIfLostAsync(group);
        }
        catch (Exception exception) when (group.Count > 1 && IsStatements(exception) && !IsLock(exception))
        {
            // One of them is at fault. Alone, each gets its own answer.
            foreach (var acceptance in group)
                await WriteCompanyAsync([acceptance]);
        }
#pragma warning disable CA1031 // Whatever it is, it is the callers' to know, and the writer must live on.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            if (IsLock(exception))
                _setAside[group[0].CompanyId] = Stopwatch.GetTimestamp();
            group.ForEach(acceptance => acceptance.Fail(exception));
        }
    }

    private async Task WriteOnceMoreIfLostAsync(List<Acceptance> group)
    {
        var isImpatient = IsSetAside(group[0].CompanyId);
        try
        {
            await _group.WriteAsync(group, isImpatient);
        }
        catch (Exception exception) when (PostgreSqlFaults.Classify(exception) == StoreFault.Transient && !IsStatements(exception) && exception is NpgsqlException)
        {
            // Most such faults are pooled connections that the database's restart has cut. Accepting can be repeated,
            // committed or not, and the second time says which: that saves callers a doubt.
            await _group.WriteAsync(group, isImpatient);
        }
    }

    private bool IsSetAside(Guid companyId)
    {
        if (!_setAside.TryGetValue(companyId, out var since))
            return false;
        if (Stopwatch.GetElapsedTime(since) < SetAsideFor)
            return true;
        _setAside.TryRemove(companyId, out _);
        return false;
    }

    private static bool IsLock(Exception exception) => exception is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable };

    // The database has answered a statement, so that others may fare better.
    private static bool IsStatements(Exception exception) =>
        exception is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected }
        || PostgreSqlFaults.Classify(exception) != StoreFault.Transient;
}
