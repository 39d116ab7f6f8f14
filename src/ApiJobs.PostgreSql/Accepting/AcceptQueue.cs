using System.Threading.Channels;
using ApiJobs.PostgreSql.Isolation;
using ApiJobs.PostgreSql.Lanes;
using ApiJobs.Storage;
using Npgsql;

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

    // While one writer waits for the disk, the other collects and sends the next group.
    private const int Writers = 2;

    private readonly NpgsqlDataSource _source;
    private readonly CompanyScope _scope;
    private readonly WorkAnnouncer _announcer;
    private readonly Channel<Acceptance> _waiting = Channel.CreateBounded<Acceptance>(Capacity);
    private readonly Task[] _writers;

    internal AcceptQueue(NpgsqlDataSource source, CompanyScope scope, WorkAnnouncer announcer)
    {
        _source = source;
        _scope = scope;
        _announcer = announcer;
        _writers = [.. Enumerable.Range(0, Writers).Select(_ => Task.Run(WriteGroupsAsync))];
    }

    /// <summary>Stores a chunk, in one transaction with others that wait. Cancelling works until the writing begins.</summary>
    internal async Task<AcceptResult> AcceptAsync(Acceptance acceptance, CancellationToken cancellationToken)
    {
        await _waiting.Writer.WriteAsync(acceptance, cancellationToken);
        await using var cancelling = cancellationToken.Register(() =>
        {
            if (acceptance.TryTake())
                acceptance.Fail(new OperationCanceledException(cancellationToken));
        });
        return await acceptance.Settled;
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await Task.WhenAll(_writers);
    }

    private async Task WriteGroupsAsync()
    {
        var group = new List<Acceptance>();
        while (await _waiting.Reader.WaitToReadAsync())
        {
            group.Clear();
            for (var bytes = 0; group.Count < MaxGroup && bytes < GroupBytes && _waiting.Reader.TryRead(out var acceptance);)
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
            await AcceptGroup.WriteAsync(_source, _scope, _announcer, group);
        }
        catch (Exception exception) when (Faults.Classify(exception) == StoreFault.Transient && exception.InnerException is not TimeoutException)
        {
            // Most such faults are pooled connections that the database's restart has cut. Accepting can be repeated,
            // committed or not, and the second time says which: that saves callers a doubt.
            await AcceptGroup.WriteAsync(_source, _scope, _announcer, group);
        }
    }
}
