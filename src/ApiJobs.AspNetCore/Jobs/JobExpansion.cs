using ApiJobs.AspNetCore.Requests;
using ApiJobs.Jobs;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>What an answer shows of a job beyond the seed's members.</summary>
[Flags]
internal enum JobExpansion
{
    None = 0,
    Counts = 1,
    Links = 2,
    Failure = 4,
    Origin = 8,
    Progress = 16,
}

/// <summary>What is shown of a job that is not in the job itself, as far as it was asked for.</summary>
internal sealed record JobDetails
{
    public static JobDetails None { get; } = new();

    /// <summary>How it gets on.</summary>
    public ProgressEstimate Progress { get; init; } = ProgressEstimate.Ended;

    /// <summary>The job that goes on from it; null if there is none.</summary>
    public Guid? ChildId { get; init; }
}

/// <summary>Reads which expansions a request asks for, and what they need.</summary>
internal static class JobExpansions
{
    private static readonly string[] Names = ["counts", "links", "failure", "origin", "progress"];

    /// <summary>The parameter that asks for them.</summary>
    public static QueryParameter Parameter { get; } = new(
        "expand", $"What to show beside a job's own members, separated by commas: {string.Join(", ", Names)}.")
    { Values = Names, IsList = true };

    public static JobExpansion Read(HttpRequest request) => Parameter.Names(request)
        .Aggregate(JobExpansion.None, (all, name) => all | (JobExpansion)(1 << Array.IndexOf(Names, name)));

    /// <summary>Reads what some jobs' expansions need beside the jobs.</summary>
    public static async Task<IReadOnlyList<JobDetails>> ReadDetailsAsync(
        this ApiJobEngine engine, Guid companyId, IReadOnlyList<ApiJob> jobs, JobExpansion expansion, CancellationToken cancellationToken)
    {
        var progress = expansion.HasFlag(JobExpansion.Progress) ? await engine.EstimateProgressAsync(companyId, jobs, cancellationToken) : [];
        // Nothing goes on from a job that has not ended.
        Guid[] ended = expansion.HasFlag(JobExpansion.Links) ? [.. jobs.Where(job => job.HasEnded).Select(job => job.Id)] : [];
        var children = ended.Length > 0 ? await engine.FindChildrenAsync(companyId, ended, cancellationToken) : null;
        return
        [
            .. jobs.Select((job, index) => new JobDetails
            {
                Progress = progress.Count > 0 ? progress[index] : ProgressEstimate.Ended,
                ChildId = children is not null && children.TryGetValue(job.Id, out var child) ? child : null,
            }),
        ];
    }
}
