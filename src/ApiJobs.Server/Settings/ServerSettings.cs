using System.ComponentModel.DataAnnotations;
using System.Reflection;
using ApiJobs.Intake;
using ApiJobs.Processing;

namespace ApiJobs.Server.Settings;

/// <summary>Everything the server reads from configuration, checked once, before anything is built from it.</summary>
/// <remarks>
/// Settings are read at start and do not change while the process runs. All faults are collected, so an operator
/// mends them in one round.
/// </remarks>
internal sealed class ServerSettings
{
    private ServerSettings() { }

    /// <summary>Where the jobs, the resources and the OAuth clients live.</summary>
    public required StorageSettings Storage { get; init; }

    /// <summary>Where webhooks may go.</summary>
    public required WebhookSettings Webhooks { get; init; }

    /// <summary>The built-in token issuer, or the external one that replaces it.</summary>
    public required OAuthSettings OAuth { get; init; }

    /// <summary>Clients to make at start if they are absent.</summary>
    public required IReadOnlyList<BootstrapClient> BootstrapClients { get; init; }

    /// <summary>Where the API is, and the bounds of its connections and requests.</summary>
    public required HttpSettings Http { get; init; }

    /// <summary>What one caller may take of the server.</summary>
    public required LimitSettings Limits { get; init; }

    /// <summary>Reads and checks all settings.</summary>
    /// <exception cref="SettingsException">At least one setting is wrong; the message lists all that are.</exception>
    public static ServerSettings Read(IConfiguration configuration)
    {
        var faults = new List<string>();
        var settings = new ServerSettings
        {
            Storage = Bind<StorageSettings>(configuration, "Storage", faults),
            Webhooks = Bind<WebhookSettings>(configuration, "Webhooks", faults),
            OAuth = Bind<OAuthSettings>(configuration, "OAuth", faults),
            BootstrapClients = BootstrapClient.ReadAll(configuration.GetSection("Bootstrap:Clients"), faults),
            Http = Bind<HttpSettings>(configuration, "Http", faults),
            Limits = Bind<LimitSettings>(configuration, "Limits", faults),
        };

        settings.Storage.Check(faults);
        settings.OAuth.Check(faults);
        settings.Http.Check(faults);

        CheckRanges(settings.Limits, "Limits", faults);

        // The engine reads these itself; checked here, their faults are told together with all others.
        CheckRanges(Bind<WorkerOptions>(configuration, "Worker", faults), "Worker", faults);
        CheckRanges(Bind<IntakeOptions>(configuration, "Intake", faults), "Intake", faults);
        if (settings is { OAuth.UsesExternalAuthority: true, BootstrapClients.Count: > 0 })
            faults.Add("Bootstrap:Clients is set, but so is OAuth:Authority, which switches the built-in issuer and its clients off. Remove one of the two.");
        return faults.Count == 0 ? settings : throw new SettingsException(faults);
    }

    private static T Bind<T>(IConfiguration configuration, string section, List<string> faults)
        where T : new()
    {
        try
        {
            return configuration.GetSection(section).Get<T>() ?? new T();
        }
        catch (InvalidOperationException exception)
        {
            // The binder names the key, the value and the type it should have.
            faults.Add(exception.Message);
            return new T();
        }
    }

    private static void CheckRanges(object options, string section, List<string> faults)
    {
        foreach (var property in options.GetType().GetProperties())
        {
            if (property.GetCustomAttribute<RangeAttribute>() is { } range && property.GetValue(options) is { } value && !range.IsValid(value))
                faults.Add($"{section}:{property.Name} is {value}. Set it to {range.Minimum}…{range.Maximum}.");
        }
    }
}
