namespace ApiJobs.Benchmarks.Measuring;

/// <summary>Measures several sides in turn, round after round, so that whatever changes on the machine meanwhile changes for all of them.</summary>
internal sealed class Rounds(int count, Action<string> log)
{
    private readonly List<string> _names = [];
    private readonly Dictionary<string, (string Unit, List<double> Values)> _figures = new(StringComparer.Ordinal);
    private bool _isWarmUp;

    public IEnumerable<Figure> All => _names.Select(name => this[name]);

    public Figure this[string name] => new(name, _figures[name].Unit, _figures[name].Values);

    /// <summary>Runs every side once to warm up, then <c>count</c> times, each second round in the opposite order.</summary>
    /// <param name="sides">Each measures once, given the number of the round (0 is the warm-up), and says what by <see cref="Add"/>.</param>
    public async Task RunAsync(params IReadOnlyList<Func<int, Task>> sides)
    {
        for (var round = 0; round <= count; round++)
        {
            _isWarmUp = round == 0;
            log(_isWarmUp ? "warm-up" : $"round {round} of {count}");
            foreach (var side in round % 2 == 0 ? sides.Reverse() : sides)
                await side(round);
        }
    }

    /// <summary>Keeps a value of the running round; the warm-up's are forgotten.</summary>
    public void Add(string name, string unit, double value)
    {
        log($"  {name}: {Numbers.Format(value)} {unit}");
        if (_isWarmUp)
            return;
        if (!_figures.TryGetValue(name, out var figure))
        {
            _names.Add(name);
            _figures.Add(name, figure = (unit, []));
        }

        figure.Values.Add(value);
    }

    /// <summary>Compares two figures, round by round; by their medians where they were not measured equally often.</summary>
    public Comparison Ratio(string name, string figure, string to, Goal? goal)
    {
        var (above, below) = (this[figure], this[to]);
        return new(name, above.Rounds.Count == below.Rounds.Count
            ? [.. above.Rounds.Zip(below.Rounds, (a, b) => a / b)]
            : [above.Median / below.Median], goal);
    }
}
