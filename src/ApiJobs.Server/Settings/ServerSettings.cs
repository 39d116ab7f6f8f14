using ApiJobs.Admission;
using ApiJobs.Intake;
using ApiJobs.PostgreSql;
using ApiJobs.Processing;
using ApiJobs.Sqlite;
using ApiJobs.Waiting;

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

    /// <summary>What one caller may take of the token endpoint.</summary>
    public required LimitSettings Limits { get; init; }

    /// <summary>What does not stop the start, but is hardly meant: names that nobody reads.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Reads and checks all settings.</summary>
    /// <exception cref="SettingsException">At least one setting is wrong; the message lists all that are.</exception>
    public static ServerSettings Read(IConfiguration configuration)
    {
        var faults = new List<string>();
        var settings = new ServerSettings
        {
            Storage = SettingsSection.Read<StorageSettings>(configuration, "Storage", faults),
            Webhooks = SettingsSection.Read<WebhookSettings>(configuration, "Webhooks", faults),
            OAuth = SettingsSection.Read<OAuthSettings>(configuration, "OAuth", faults),
            BootstrapClients = BootstrapClient.ReadAll(configuration.GetSection("Bootstrap:Clients"), faults),
            Http = SettingsSection.Read<HttpSettings>(configuration, "Http", faults),
            Warnings = [.. SettingsSection.All.SelectMany(section => section.FindUnknown(configuration))],
            Limits = SettingsSection.Read<LimitSettings>(configuration, "Limits", faults),
        };

        settings.Storage.Check(faults);
        settings.OAuth.Check(faults);
        settings.Http.Check(faults);

        // The engine and the store read these themselves; checked here, their faults are told together with all others.
        _ = SettingsSection.Read<WorkerOptions>(configuration, "Worker", faults);
        _ = SettingsSection.Read<IntakeOptions>(configuration, "Intake", faults);
        _ = SettingsSection.Read<WaitOptions>(configuration, "Wait", faults);
        _ = SettingsSection.Read<AdmissionOptions>(configuration, "Limits", faults);
        _ = SettingsSection.Read<RetentionOptions>(configuration, "Retention", faults);
        if (settings.Storage.IsPostgreSql)
            _ = SettingsSection.Read<PostgreSqlStoreOptions>(configuration, "Storage", faults);
        else
            _ = SettingsSection.Read<SqliteStoreOptions>(configuration, "Storage", faults);
        if (settings is { OAuth.UsesExternalAuthority: true, BootstrapClients.Count: > 0 })
            faults.Add("Bootstrap:Clients is set, but so is OAuth:Authority, which switches the built-in issuer and its clients off. Remove one of the two.");
        return faults.Count == 0 ? settings : throw new SettingsException(faults);
    }
}
