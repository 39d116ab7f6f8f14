namespace ApiJobs.Records;

/// <summary>What happened to a record; stored as one byte.</summary>
public enum RecordOutcome : byte
{
    /// <summary>No outcome yet, or none ever because the job failed. Never stored.</summary>
    Unprocessed = 0,

    /// <summary>The record made a new row.</summary>
    Created = 1,

    /// <summary>The record changed its row.</summary>
    Updated = 2,

    /// <summary>The record's row was already up to date.</summary>
    Unchanged = 3,

    /// <summary>The record was refused; its errors say why.</summary>
    Failed = 4,
}
