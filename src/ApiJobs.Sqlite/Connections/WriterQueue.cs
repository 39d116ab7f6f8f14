using System.Threading.Channels;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Connections;

/// <summary>What waits for the writer, in the order in which it gets it.</summary>
internal sealed class WriterQueue
{
    private const int MaxWaiting = 1024;

    // However many callers come, a group of chunks is not passed over by more than these.
    private const int MaxPassing = 64;

    private readonly Channel<WriterWork> _arrivals = Channel.CreateBounded<WriterWork>(
        new BoundedChannelOptions(MaxWaiting) { SingleReader = true });

    private readonly Queue<WriterWork> _prompt = new();
    private readonly Queue<WriterWork> _shared = new();
    private readonly Queue<WriterWork> _alone = new();
    private int _passing;

    private int Count => _prompt.Count + _shared.Count + _alone.Count;

    /// <summary>Lets a work wait for its turn, once there is room to wait.</summary>
    internal async Task AddAsync(WriterWork work)
    {
        try
        {
            await _arrivals.Writer.WriteAsync(work, work.CancellationToken);
        }
        catch (ChannelClosedException exception)
        {
            throw new StoreUnavailableException("The store is closing.", exception);
        }
    }

    /// <summary>Lets nothing more in.</summary>
    internal void Close() => _arrivals.Writer.TryComplete();

    /// <summary>Waits until there is a work to take.</summary>
    /// <returns><see langword="false"/> when nothing is left, and nothing more can come.</returns>
    internal async ValueTask<bool> WaitAsync() => Count > 0 || await _arrivals.Reader.WaitToReadAsync();

    /// <summary>Takes the next work of a transaction: what somebody waits for first, then what may share its commit.</summary>
    internal WriterWork? TakeTogether()
    {
        TakeArrived();
        _passing = _shared.Count == 0 ? 0 : _passing + 1;
        if (_passing <= MaxPassing && _prompt.TryDequeue(out var work))
            return work;
        _passing = 0;
        return _shared.TryDequeue(out work) || _prompt.TryDequeue(out work) ? work : null;
    }

    /// <summary>Takes a work that gets a transaction of its own.</summary>
    internal WriterWork? TakeAlone()
    {
        TakeArrived();
        return _alone.TryDequeue(out var work) ? work : null;
    }

    /// <summary>Takes the works that would share the transaction of those that have failed.</summary>
    internal IEnumerable<WriterWork> TakeRest()
    {
        while (_prompt.TryDequeue(out var work) || _shared.TryDequeue(out work))
            yield return work;
    }

    private void TakeArrived()
    {
        while (Count < MaxWaiting && _arrivals.Reader.TryRead(out var work))
            (work.Turn switch { WriterTurn.Prompt => _prompt, WriterTurn.Shared => _shared, _ => _alone }).Enqueue(work);
    }
}
