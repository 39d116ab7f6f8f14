using System.ComponentModel.DataAnnotations;
using System.Net;

namespace ApiJobs.Server.Settings;

/// <summary>Where the API is, and the bounds of connections and requests. Configuration section <c>Http</c>.</summary>
internal sealed class HttpSettings
{
    /// <summary>The path all routes of the API start with.</summary>
    public string BasePath { get; set; } = "/engine/api";

    /// <summary>The most open connections; more are closed at once.</summary>
    [Range(1, 1_000_000)]
    public int MaxConnections { get; set; } = 10_000;

    /// <summary>The largest request body in bytes, except on bulk routes, which have their own limit.</summary>
    [Range(1_024, 16 << 20)]
    public int MaxBodyBytes { get; set; } = 64 * 1024;

    /// <summary>The most bytes of all headers of a request together.</summary>
    [Range(4_096, 1 << 20)]
    public int MaxHeaderBytes { get; set; } = 32 * 1024;

    /// <summary>A body that arrives more slowly than this many bytes a second, after a grace of ten seconds, is cut off.</summary>
    [Range(1, 1 << 20)]
    public int MinBodyBytesPerSecond { get; set; } = 240;

    /// <summary>How long a new connection may be silent before it is closed.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan FirstByteTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// An address of its own for <c>/health/live</c> and <c>/health/ready</c>, such as <c>http://0.0.0.0:8081</c>; nothing else is there, and
    /// they are nowhere else. Left out, they are where the API is.
    /// </summary>
    public string? HealthUrl { get; set; }

    /// <summary>The port of <see cref="HealthUrl"/>; null without one.</summary>
    public int? HealthPort => string.IsNullOrWhiteSpace(HealthUrl) ? null : BindingAddress.Parse(HealthUrl).Port;

    /// <summary>How long requests and the chunk at hand may take to end when the server is told to stop.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Addresses, or networks as <c>10.0.0.0/8</c>, of the reverse proxies in front. Only from these are
    /// <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> believed; with none, from nobody.
    /// </summary>
    public string[] TrustedProxies { get; set; } = [];

    /// <summary><see cref="TrustedProxies"/> as networks; a single address is a network of one.</summary>
    public IEnumerable<IPNetwork> TrustedNetworks => TrustedProxies.Select(proxy => TryNetwork(proxy)!.Value);

    /// <summary>Adds what is wrong to <paramref name="faults"/>.</summary>
    public void Check(List<string> faults)
    {
        BasePath = BasePath.TrimEnd('/');
        if (BasePath.Length > 0 && (BasePath[0] != '/' || !BasePath.All(character => char.IsAsciiLetterOrDigit(character) || character is '/' or '-' or '_' or '.')))
            faults.Add($"Http:BasePath is '{BasePath}'. Set it to a path such as '/engine/api': a slash first, then letters, digits, '-', '_', '.' and '/'.");
        if (!string.IsNullOrWhiteSpace(HealthUrl) && !IsHealthUrl(HealthUrl))
            faults.Add($"Http:HealthUrl is '{HealthUrl}'. Set it to an address with a port of its own and without a path, such as 'http://0.0.0.0:8081'.");
        foreach (var proxy in TrustedProxies.Where(proxy => TryNetwork(proxy) is null))
            faults.Add($"Http:TrustedProxies has '{proxy}'. Use an IP address or a network such as '10.0.0.0/8'.");
    }

    private static bool IsHealthUrl(string url)
    {
        try
        {
            return BindingAddress.Parse(url) is { Port: > 0, PathBase: "", IsUnixPipe: false } address && address.Scheme is "http" or "https";
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static IPNetwork? TryNetwork(string text)
    {
        if (IPAddress.TryParse(text, out var address))
            return new(address, address.GetAddressBytes().Length * 8);
        return IPNetwork.TryParse(text, out var network) ? network : null;
    }
}
