using System.CommandLine;
using ApiJobs.Server.OAuth;
using ApiJobs.Server.Settings;

namespace ApiJobs.Server.Commands;

/// <summary>Runs a command with the server's settings and its database, beside a running server or without one.</summary>
internal static class OperatorServices
{
    /// <summary>Reads the settings, brings the tables up to date and runs <paramref name="action"/>.</summary>
    /// <returns>What the action returns: the exit code.</returns>
    /// <exception cref="SettingsException">A setting is wrong, or an external authority is trusted, which has its own clients and keys.</exception>
    public static async Task<int> RunAsync(ParseResult parsed, Func<IServiceProvider, Task<int>> action)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = [.. parsed.UnmatchedTokens], ContentRootPath = AppContext.BaseDirectory });
        var settings = ServerSettings.Read(builder.Configuration);
        if (settings.OAuth.UsesExternalAuthority)
            throw new SettingsException([$"OAuth:Authority is set: clients and keys are kept at {settings.OAuth.Authority}, not here."]);

        OAuthSchema.Upgrade(settings.Storage);
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace).SetMinimumLevel(LogLevel.Error));
        services.AddOAuthStores(settings);
        await using var provider = services.BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        return await action(scope.ServiceProvider);
    }

    /// <summary>Lets a command take settings beside its own options; words it does not know are still refused.</summary>
    public static T TakesSettings<T>(this T command)
        where T : Command
    {
        command.TreatUnmatchedTokensAsErrors = false;
        return command;
    }
}
