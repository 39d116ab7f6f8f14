namespace ApiJobs.Server.Settings;

/// <summary>The worker of this process. Configuration section <c>Worker</c>.</summary>
internal sealed class WorkerSettings
{
    /// <summary>The most lanes one process may serve at once.</summary>
    public const int MaxSlots = 256;

    /// <summary>Run a worker in this process. False for a node that only serves HTTP.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Lanes served at once.</summary>
    public int Slots { get; set; } = Math.Clamp(Environment.ProcessorCount, 1, 8);

    /// <summary>Adds what is wrong to <paramref name="faults"/>.</summary>
    public void Check(List<string> faults)
    {
        if (Slots is < 1 or > MaxSlots)
            faults.Add($"Worker:Slots is {Slots}. Set it to 1…{MaxSlots}; to run no worker in this process, set Worker:Enabled to false.");
    }
}
