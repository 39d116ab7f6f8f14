namespace ApiJobs.Server.Settings;

/// <summary>The server cannot start with the settings it was given. The message says which, and what to do.</summary>
internal sealed class SettingsException(IReadOnlyCollection<string> faults)
    : Exception("The server cannot start with these settings:" + string.Concat(faults.Select(fault => $"{Environment.NewLine}  - {fault}")));
