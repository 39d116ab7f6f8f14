using System.Runtime.InteropServices;
using ApiJobs.Records;

namespace ApiJobs.Processing;

/// <summary>The records that were at hand when a transaction was lost or a record crashed: tried in smaller company the next time, and not for ever.</summary>
/// <remarks>
/// The transaction that could have told of it is gone, so this node's memory is all there is. Another node begins anew; that
/// costs attempts, and nothing else.
/// </remarks>
internal sealed class Suspects
{
    /// <summary>A record that was alone at hand this often is given up.</summary>
    public const int MaxStrikes = 3;

    private const int MaxRecords = 20_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<(Guid Job, long Index), Suspicion> _byRecord = [];

    /// <summary>Takes note that a call with these records came to a bad end. Alone, a record gets a strike.</summary>
    /// <returns>How many strikes the first of them has.</returns>
    public int Note(IReadOnlyList<JobRecord> records)
    {
        lock (_gate)
        {
            // Forgetting costs no more than attempts.
            if (_byRecord.Count + records.Count > MaxRecords)
                _byRecord.Clear();
            foreach (var record in records)
            {
                ref var suspicion = ref CollectionsMarshal.GetValueRefOrAddDefault(_byRecord, KeyOf(record), out _);
                suspicion = records.Count == 1
                    ? new(1, suspicion.Strikes + 1)
                    : suspicion with { Company = Math.Min(records.Count / 2, suspicion.Company is 0 ? int.MaxValue : suspicion.Company) };
            }

            return records.Count == 0 ? 0 : _byRecord[KeyOf(records[0])].Strikes;
        }
    }

    /// <summary>Whether the record has had all its chances.</summary>
    public bool IsGivenUp(JobRecord record)
    {
        lock (_gate)
            return _byRecord.GetValueOrDefault(KeyOf(record)).Strikes >= MaxStrikes;
    }

    /// <summary>Whether one of the records is suspected.</summary>
    public bool AnyOf(IEnumerable<JobRecord> records)
    {
        lock (_gate)
            return _byRecord.Count > 0 && records.Any(record => _byRecord.ContainsKey(KeyOf(record)));
    }

    /// <summary>Cuts records into neighbours that may be tried together.</summary>
    public List<List<JobRecord>> Divide(List<JobRecord> records)
    {
        lock (_gate)
        {
            if (_byRecord.Count == 0)
                return [records];
            var parts = new List<List<JobRecord>>();
            var room = 0;
            foreach (var record in records)
            {
                var company = _byRecord.GetValueOrDefault(KeyOf(record)).Company is > 0 and var most ? most : int.MaxValue;
                room = Math.Min(room, company);
                if (parts.Count == 0 || parts[^1].Count >= room)
                {
                    parts.Add([]);
                    room = company;
                }

                parts[^1].Add(record);
            }

            return parts;
        }
    }

    /// <summary>Forgets records that have their outcome.</summary>
    public void Forget(IEnumerable<JobRecord> records)
    {
        lock (_gate)
        {
            if (_byRecord.Count == 0)
                return;
            foreach (var record in records)
                _byRecord.Remove(KeyOf(record));
        }
    }

    private static (Guid, long) KeyOf(JobRecord record) => (record.JobId, record.Index);

    /// <summary>What is held against a record.</summary>
    /// <param name="Company">With how many records it may be tried, itself among them; 0 is any number.</param>
    /// <param name="Strikes">How often it came to a bad end alone.</param>
    private readonly record struct Suspicion(int Company, int Strikes);
}
