namespace ApiJobs.AspNetCore.Callers;

/// <summary>The names of the scopes that the endpoints ask for.</summary>
internal static class Scopes
{
    public const string JobsRead = "jobs:read";

    public static string Read(string path) => $"{path}:read";

    public static string Write(string path) => $"{path}:write";
}
