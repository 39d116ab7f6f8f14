namespace ApiJobs.Server.Settings;

/// <summary>Where webhooks may go. Configuration section <c>Webhooks</c>.</summary>
internal sealed class WebhookSettings
{
    /// <summary>Let webhooks reach loopback and private addresses: for tests and intranets only.</summary>
    public bool AllowPrivateNetworks { get; set; }
}
