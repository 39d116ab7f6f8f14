using System.Net;

namespace ApiJobs.Server.Settings;

/// <summary>Where the API is, and the bounds of connections and requests. Configuration section <c>Http</c>.</summary>
internal sealed class HttpSettings
{
    /// <summary>The path all routes of the API start with.</summary>
    public string BasePath { get; set; } = "/engine/api";

    /// <summary>The most open connections; more are closed at once.</summary>
    public int MaxConnections { get; set; } = 10_000;

    /// <summary>The largest request body in bytes, except on bulk routes, which have their own limit.</summary>
    public int MaxBodyBytes { get; set; } = 64 * 1024;

    /// <summary>The most bytes of all headers of a request together.</summary>
    public int MaxHeaderBytes { get; set; } = 32 * 1024;

    /// <summary>A body that arrives more slowly than this many bytes a second, after a grace of ten seconds, is cut off.</summary>
    public int MinBodyBytesPerSecond { get; set; } = 240;

    /// <summary>How long requests and the chunk at hand may take to end when the server is told to stop.</summary>
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
        CheckRange("Http:MaxConnections", MaxConnections, 1, 1_000_000, faults);
        CheckRange("Http:MaxBodyBytes", MaxBodyBytes, 1_024, 16 << 20, faults);
        CheckRange("Http:MaxHeaderBytes", MaxHeaderBytes, 4_096, 1 << 20, faults);
        CheckRange("Http:MinBodyBytesPerSecond", MinBodyBytesPerSecond, 1, 1 << 20, faults);
        if (ShutdownTimeout < TimeSpan.FromSeconds(1) || ShutdownTimeout > TimeSpan.FromHours(1))
            faults.Add($"Http:ShutdownTimeout is {ShutdownTimeout}. Set it to 00:00:01…01:00:00; the default is 00:00:30.");
        foreach (var proxy in TrustedProxies.Where(proxy => TryNetwork(proxy) is null))
            faults.Add($"Http:TrustedProxies has '{proxy}'. Use an IP address or a network such as '10.0.0.0/8'.");
    }

    private static void CheckRange(string name, int value, int min, int max, List<string> faults)
    {
        if (value < min || value > max)
            faults.Add($"{name} is {value}. Set it to {min}…{max}.");
    }

    private static IPNetwork? TryNetwork(string text)
    {
        if (IPAddress.TryParse(text, out var address))
            return new(address, address.GetAddressBytes().Length * 8);
        return IPNetwork.TryParse(text, out var network) ? network : null;
    }
}
