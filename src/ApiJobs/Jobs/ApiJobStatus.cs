namespace ApiJobs.Jobs;

/// <summary>How far an API job is: <c>pending → processing → completed | failed</c>, and nothing else.</summary>
public enum ApiJobStatus
{
    /// <summary>Accepted and durable; work has not begun.</summary>
    Pending,

    /// <summary>Work has begun.</summary>
    Processing,

    /// <summary>Every record has an outcome. It does not say that every record succeeded.</summary>
    Completed,

    /// <summary>The job could not run to its end.</summary>
    Failed,
}
