namespace ApiJobs.Jobs;

/// <summary>How a job goes on from another one that has ended. Of each kind a job has one child at the most.</summary>
/// <remarks>The numbers are stored.</remarks>
public enum JobDescent
{
    /// <summary>It does the records again that failed or were not processed.</summary>
    Retry = 1,

    /// <summary>It does for good what a rehearsal has rehearsed.</summary>
    Promotion = 2,
}
