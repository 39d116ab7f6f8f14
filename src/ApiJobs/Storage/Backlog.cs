namespace ApiJobs.Storage;

/// <summary>What waits: the jobs that were sealed and have not ended. A job waits as a whole until it ends, however far it is.</summary>
/// <param name="Records">Their records.</param>
/// <param name="Bytes">What the payloads of their chunks take, in bytes.</param>
public readonly record struct Backlog(long Records, long Bytes)
{
    /// <summary>Adds two.</summary>
    public static Backlog operator +(Backlog left, Backlog right) => new(left.Records + right.Records, left.Bytes + right.Bytes);

    /// <summary>Takes one from another.</summary>
    public static Backlog operator -(Backlog left, Backlog right) => new(left.Records - right.Records, left.Bytes - right.Bytes);
}
