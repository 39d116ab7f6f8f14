using ApiJobs.Benchmarks.Peers;

namespace ApiJobs.Benchmarks;

/// <summary>What else a process of this program can be, when a row starts it with a role in its environment.</summary>
internal static class Roles
{
    /// <summary>The setting that names the role.</summary>
    public const string Setting = "Bench:Role";

    /// <summary>This program's own file.</summary>
    public static string Dll => Path.Combine(AppContext.BaseDirectory, "ApiJobs.Benchmarks.dll");

    /// <summary>The role of this process; null if it is the benchmark itself.</summary>
    public static string? Own => Environment.GetEnvironmentVariable(Setting.Replace(":", "__", StringComparison.Ordinal));

    /// <summary>Plays a role until told to stop.</summary>
    public static Task RunAsync(string role) => role switch
    {
        BareEndpoint.Role => BareEndpoint.RunAsync(),
        TroubledNode.Role => TroubledNode.RunAsync(),
        WaitingNode.Role => WaitingNode.RunAsync(),
        _ => throw new ArgumentException($"'{role}' is not a role of this program.", nameof(role)),
    };
}
