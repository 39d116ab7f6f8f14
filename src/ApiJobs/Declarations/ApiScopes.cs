namespace ApiJobs.Declarations;

/// <summary>The names of the scopes that callers need. None includes another.</summary>
public static class ApiScopes
{
    /// <summary>To see API jobs and what became of their records.</summary>
    public const string JobsRead = "jobs:read";

    /// <summary>To change API jobs that were sent already.</summary>
    public const string JobsWrite = "jobs:write";

    /// <summary>To see the rows of what is at a path: <c>cases:read</c>.</summary>
    public static string Read(string path) => $"{path}:read";

    /// <summary>To send bulk requests for what is at a path: <c>cases:write</c>.</summary>
    public static string Write(string path) => $"{path}:write";
}
