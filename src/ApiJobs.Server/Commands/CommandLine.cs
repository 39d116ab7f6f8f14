using System.Collections.Frozen;
using System.CommandLine;
using System.Data.Common;
using ApiJobs.Server.Settings;
using ApiJobs.Storage;

namespace ApiJobs.Server.Commands;

/// <summary>The command line: without a verb the server runs; the verbs are for its operators.</summary>
internal static class CommandLine
{
    // What ASP.NET Core's host reads that has no section.
    private static readonly FrozenSet<string> HostSettings =
        new[] { "urls", "http_ports", "https_ports", "environment", "AllowedHosts" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private const string Description =
        """
        The ApiJobs engine: bulk requests become API jobs. Without a command it serves until it is told to stop.

        Settings come from appsettings.json, the environment (Storage__Provider=PostgreSql) and the command line
        (--Storage:Provider PostgreSql, --urls http://0.0.0.0:8080), for the server and for every command alike.
        """;

    /// <summary>Runs what the arguments ask for.</summary>
    /// <param name="args">The process's arguments.</param>
    /// <param name="serve">Runs the server with the arguments that are configuration, and returns the exit code.</param>
    /// <returns>The exit code: 0 for success, 1 if it failed, with a message on standard error.</returns>
    public static async Task<int> RunAsync(string[] args, Func<string[], CancellationToken, Task<int>> serve)
    {
        var root = new RootCommand(Description) { TreatUnmatchedTokensAsErrors = false };
        root.SetAction((parsed, cancellationToken) => serve([.. parsed.UnmatchedTokens], cancellationToken));
        root.Add(ClientCommands.Make());
        root.Add(KeyCommands.Make());

        try
        {
            var parsed = root.Parse(args);
            if (parsed.Errors.Count == 0 && UnknownWordIn(parsed.UnmatchedTokens) is { } word)
            {
                await Console.Error.WriteLineAsync($"'{word}' is neither a command nor a setting. See --help for the commands; a setting is written --Name:Of:Setting value.");
                return 1;
            }

            // The server handles signals itself, with its own time for a graceful stop.
            return await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (Exception exception) when (MessageOf(exception) is { } message)
        {
            await Console.Error.WriteLineAsync(message);
            return 1;
        }
    }

    /// <summary>Finds the first word that is neither a command nor a setting, so that a mistyped command does not start a server.</summary>
    /// <returns>The word, or null if all are settings.</returns>
    internal static string? UnknownWordIn(IReadOnlyList<string> words)
    {
        for (var index = 0; index < words.Count; index++)
        {
            var (name, hasValue) = words[index].Split('=', 2) is [var before, _] ? (before, true) : (words[index], false);
            if (!name.StartsWith("--", StringComparison.Ordinal) || !(name.Contains(':') || HostSettings.Contains(name[2..])))
                return words[index];
            if (!hasValue)
                index++;
        }

        return null;
    }

    // What an operator can mend is one message; anything else is a bug, and keeps its stack trace.
    private static string? MessageOf(Exception exception) => exception switch
    {
        SettingsException or SchemaTooNewException => exception.Message,
        IOException or UnauthorizedAccessException or InvalidOperationException { InnerException: IOException } => exception.Message,
        DbException => $"The database cannot be used: {exception.Message} Check Storage:ConnectionString, and that the database runs.",
        { InnerException: { } inner } => MessageOf(inner),
        _ => null,
    };
}
