namespace ApiJobs.Records;

/// <summary>A job's records are asked for after they were removed, because they had been kept for as long as configured.</summary>
public sealed class RecordsRemovedException(Guid jobId) : Exception($"The records of job {jobId} have been removed.")
{
    /// <summary>The job.</summary>
    public Guid JobId { get; } = jobId;
}
