namespace ApiJobs.Benchmarks.Data;

/// <summary>A stream of random numbers that is the same for the same seed and record, whatever was drawn for other records before (SplitMix64).</summary>
internal struct Dice
{
    private const ulong Golden = 0x9E3779B97F4A7C15UL;

    private ulong _state;

    public Dice(int seed, long record, int purpose = 0) =>
        _state = Mix(Mix(Mix((ulong)seed + Golden) + (ulong)record) + ((ulong)purpose * Golden));

    public ulong Next()
    {
        _state += Golden;
        return Mix(_state);
    }

    public int Below(int limit) => (int)(Next() % (uint)limit);

    public bool Chance(double probability) => Next() >> 11 < probability * (1UL << 53);

    public T Of<T>(IReadOnlyList<T> choices) => choices[Below(choices.Count)];

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }
}
