using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ApiJobs.Jobs;

namespace ApiJobs.Storage;

/// <summary>The numbers under which stores keep jobs in the order of their acceptance, so that lists of some of them need not look at all.</summary>
/// <remarks>
/// A number for a value is the first eight bytes of the SHA-256 of <c>name=value</c> in UTF-8, big-endian: every store can compute it, also
/// in SQL. Two values may share a number, which costs time and nothing else, because each job is checked itself.
/// </remarks>
public static class JobMarks
{
    /// <summary>All jobs.</summary>
    public const long All = 0;

    /// <summary>Rehearsals.</summary>
    public const long DryRun = 1;

    /// <summary>Jobs that have ended as failed.</summary>
    public const long Failed = 2;

    /// <summary>Jobs of which a record has failed.</summary>
    public const long HasFailed = 3;

    /// <summary>The marks that a job has from its sealing on, each once.</summary>
    public static IReadOnlyCollection<long> Of(ApiJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        var marks = new HashSet<long>(5) { All, OfType(job.Type) };
        if (job.Origin.ClientId is { } clientId)
            marks.Add(OfClient(clientId));
        if (job.Origin.ParentId is { } parentId)
            marks.Add(OfParent(parentId));
        if (job.Options.DryRun)
            marks.Add(DryRun);
        return marks;
    }

    /// <summary>The mark that the fewest jobs have, of those that every job of a list must have.</summary>
    public static long For(JobQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return query switch
        {
            { ParentId: { } parentId } => OfParent(parentId),
            { Status: ApiJobStatus.Failed } => Failed,
            { DryRun: true } => DryRun,
            { HasFailed: true } => HasFailed,
            { ClientId: { } clientId } => OfClient(clientId),
            { Type: { } type } => OfType(type),
            _ => All,
        };
    }

    /// <summary>The mark of a type's jobs.</summary>
    public static long OfType(string type) => Of("type", type);

    /// <summary>The mark of a client's jobs.</summary>
    public static long OfClient(string clientId) => Of("client_id", clientId);

    /// <summary>The mark of the jobs that go on from this one.</summary>
    public static long OfParent(Guid parentId) => Of("parent_id", parentId.ToString("D"));

    private static long Of(string name, string value)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{name}={value}"), hash);
        return BinaryPrimitives.ReadInt64BigEndian(hash);
    }
}
