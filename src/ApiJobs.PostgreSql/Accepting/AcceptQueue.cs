using System.Threading.Channels;
using ApiJobs.PostgreSql.Isolation;
using ApiJobs.PostgreSql.Lanes;
using ApiJobs.Storage;

namespace ApiJobs.PostgreSql.Accepting;

/// <summary>Writes together what arrives together, so that one commit, and one lock on a lane's tail, serves many callers.</summary>
internal sealed class AcceptQueue : IAsyncDisposable
{
    /// <summary>The most acceptances that one transaction stores.</summary>
    internal const int MaxGroup = 256;

    // A group is closed when it has reached this, so it holds at most one chunk more.
    private const int GroupBytes = 4 << 20;

    // Callers beyond these wait for room; they hold their chunk themselves.
    private const int Capacity = 1_024;

    // While one writer waits for the disk, the other works. Each has companies of its own: two groups of the same company
    // would wait for each other's locks on the tails of its lanes.
    private const int Writers = 2;

    private readonly ConnectionPool _connections;
    private readonly CompanyScope _scope;
    private readonly WorkAnnouncer _announcer;
    private readonly Channel<Acceptance>[] _waiting =
        [.. Enumerable.Range(0, Writers).Select(_ => Channel.CreateBounded<Acceptance>(Capacity))];

    private readonly Task[] _writers;

    internal AcceptQueue(ConnectionPool connections, CompanyScope scope, WorkAnnouncer announcer)
    {
        _connections = connections;
        _scope = scope;
        _announcer = announcer;
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

    private async Task WriteAsync(List<Acceptance> group)
    {
        try
        {
            await WriteOnceMoreIfLostAsync(group);
        }
        catch (Exception exception) when (group.Count > 1 && Faults.Classify(exception) != StoreFault.Transient)
        {
            // One of them is at fault. Alone, each gets its own answer.
            foreach (var acceptance in group)
                await WriteAsync([acceptance]);
        }
#pragma warning disable CA1031 // Whatever it is, it is the callers' to know, and the writer must live on.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            foreach (var acceptance in group)
                acceptance.Fail(exception);
        }
    }

    private async Task WriteOnceMoreIfLostAsync(List<Acceptance> group)
    {
        try
        {
            await AcceptGroup.WriteAsync(_connections, _scope, _announcer, group);
        }
        catch (Exception exception) when (Faults.Classify(exception) == StoreFault.Transient && exception.InnerException is not TimeoutException)
        {
            // Most such faults are pooled connections that the database's restart has cut. Accepting can be repeated,
            // committed or not, and the second time says which: that saves callers a doubt.
            await AcceptGroup.WriteAsync(_connections, _scope, _announcer, group);
        }
    }
}
