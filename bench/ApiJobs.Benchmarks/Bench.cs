using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Measuring;

namespace ApiJobs.Benchmarks;

/// <summary>What a row has while it runs: how much to measure, and a place to do it that is cleared away afterwards.</summary>
internal sealed class Bench(bool isQuick, int? rounds, Action<string> log, CancellationToken cancellationToken) : IAsyncDisposable
{
    private const int FullRounds = 5, QuickRounds = 1;

    private readonly List<IAsyncDisposable> _opened = [];

    /// <summary>The seed of all data.</summary>
    public const int Seed = 20240221;

    public CancellationToken Stopping => cancellationToken;

    /// <summary>How many rounds are measured, beside the warm-up.</summary>
    public int RoundCount { get; } = rounds ?? (isQuick ? QuickRounds : FullRounds);

    public void Log(string text) => log(text);

    public Rounds NewRounds() => new(RoundCount, log);

    /// <summary>Rounds for what takes so long that the usual number of them is too many; a number asked for holds all the same.</summary>
    public Rounds NewRounds(int atMost) => new(rounds ?? Math.Min(RoundCount, atMost), log);

    /// <summary>A size that is smaller in a quick run.</summary>
    public T Scale<T>(T full, T quick) => isQuick ? quick : full;

    /// <summary>Makes an empty database on a store of its own.</summary>
    public async Task<Database> NewDatabaseAsync(Store store) => Keep<Database>(store switch
    {
        Store.Sqlite => SqliteDatabase.Make(),
        _ => await PostgreSqlDatabase.MakeAsync(cancellationToken),
    });

    /// <summary>Keeps something to be disposed at the end of the row, the last one first.</summary>
    public T Keep<T>(T opened)
        where T : IAsyncDisposable
    {
        _opened.Add(opened);
        return opened;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var opened in Enumerable.Reverse(_opened))
            await opened.DisposeAsync();
    }
}
