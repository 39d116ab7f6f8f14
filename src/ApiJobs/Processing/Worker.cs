namespace ApiJobs.Processing;

/// <summary>placeholder</summary>
public sealed class Worker;
