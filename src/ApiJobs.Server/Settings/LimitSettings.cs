using System.ComponentModel.DataAnnotations;

namespace ApiJobs.Server.Settings;

/// <summary>What one caller may take of the token endpoint. Each node counts for itself. Configuration section <c>Limits</c>, beside <see cref="ApiJobs.Admission.AdmissionOptions"/>.</summary>
internal sealed class LimitSettings
{
    /// <summary>The most token requests a minute that name one client and come from one address; more get 429.</summary>
    /// <remarks>By both, so that nobody can keep a client out by sending wrong secrets in its name from elsewhere.</remarks>
    [Range(1, 1_000_000)]
    public int TokenRequestsPerMinutePerClient { get; set; } = 120;

    /// <summary>
    /// The most token requests a minute from one address (IPv6: one network of 64 bits); more get 429. Behind a proxy that is not
    /// in <c>Http:TrustedProxies</c> all callers have the proxy's address.
    /// </summary>
    [Range(1, 1_000_000)]
    public int TokenRequestsPerMinutePerAddress { get; set; } = 600;

    /// <summary>How many client secrets are checked at once, each on a core for some milliseconds. Others wait for their turn, the 101st that would gets 429.</summary>
    [Range(1, 256)]
    public int ConcurrentSecretChecks { get; set; } = 1;
}
