using System.Collections.Concurrent;

namespace ApiJobs.PostgreSql.Accepting;

/// <summary>Lanes that this node has sealed into: there they are for good, and need not be looked for again.</summary>
internal sealed class KnownLanes
{
    private const int Most = 10_000;

    private readonly ConcurrentDictionary<(Guid CompanyId, string Lane), bool> _lanes = new();

    internal bool Contains(IEnumerable<Acceptance> seals) => seals.All(seal => _lanes.ContainsKey((seal.CompanyId, seal.Job!.Lane)));

    internal void Add(Acceptance seal)
    {
        // Rather forgotten than grown without bound: whoever is in use is here again at once.
        if (_lanes.TryAdd((seal.CompanyId, seal.Job!.Lane), true) && _lanes.Count > Most)
            _lanes.Clear();
    }

    /// <summary>Looks for a lane again the next time: it may be gone all the same, with a database that was restored under the node.</summary>
    internal void Forget(Acceptance seal) => _lanes.TryRemove((seal.CompanyId, seal.Job!.Lane), out _);
}
