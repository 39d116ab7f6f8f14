using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using ApiJobs.Server.Settings;

namespace ApiJobs.Server.OAuth;

/// <summary>Bounds the token requests of an address and of a client, and the secrets that are checked at once: a check costs a core some milliseconds, on purpose.</summary>
/// <remarks>
/// Callers are counted in a fixed number of places, chosen by a hash that is another one in each process: memory does not grow
/// with the addresses and ids that strangers make up. Two callers that share a place, which is rare, share a limit.
/// </remarks>
internal sealed class TokenRequestLimits : IDisposable
{
    /// <summary>How many places callers are counted in, for addresses and for clients each.</summary>
    internal const int Places = 4_096;

    private const int MaxWaiting = 100, Ipv6NetworkBytes = 8;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1), CheckRetry = TimeSpan.FromSeconds(1);

    private readonly PartitionedRateLimiter<TokenCaller> _requests;
    private readonly ConcurrencyLimiter _checks;

    public TokenRequestLimits(LimitSettings settings)
    {
        // The address first: while it is over its limit, what it says of clients is not counted.
        _requests = PartitionedRateLimiter.CreateChained(
            Limit(caller => PlaceOf(HashCode.Combine(NetworkOf(caller.Address))), settings.TokenRequestsPerMinutePerAddress),
            Limit(caller => PlaceOf(HashCode.Combine(NetworkOf(caller.Address), caller.ClientId)), settings.TokenRequestsPerMinutePerClient));
        _checks = new(new() { PermitLimit = settings.ConcurrentSecretChecks, QueueLimit = MaxWaiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst });
    }

    /// <summary>Counts a token request, and waits for the turn to check its secret.</summary>
    /// <returns>The turn, which ends when it is disposed; or null and when to come again.</returns>
    public async ValueTask<(IDisposable? Turn, TimeSpan RetryAfter)> EnterAsync(TokenCaller caller, CancellationToken cancellationToken)
    {
        using var counted = _requests.AttemptAcquire(caller);
        if (!counted.IsAcquired)
            return (null, counted.TryGetMetadata(MetadataName.RetryAfter, out var retryAfter) ? retryAfter : Minute);

        var turn = await _checks.AcquireAsync(1, cancellationToken);
        if (turn.IsAcquired)
            return (turn, default);
        turn.Dispose();
        return (null, CheckRetry);
    }

    public void Dispose()
    {
        _requests.Dispose();
        _checks.Dispose();
    }

    /// <summary>Where a caller is counted, from its hash.</summary>
    internal static int PlaceOf(int hash) => (int)((uint)hash % Places);

    /// <summary>What counts as one address: an IPv4 address, or the 64 bits of an IPv6 address that its owner did not choose.</summary>
    internal static string NetworkOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, Ipv6NetworkBytes))
            : address.ToString();
    }

    private static PartitionedRateLimiter<TokenCaller> Limit(Func<TokenCaller, int> place, int requestsPerMinute) =>
        PartitionedRateLimiter.Create<TokenCaller, int>(caller => RateLimitPartition.GetFixedWindowLimiter(
            place(caller), _ => new() { PermitLimit = requestsPerMinute, Window = Minute, QueueLimit = 0 }));
}

/// <summary>Who asks for a token, as the request says; nobody has checked it yet.</summary>
/// <param name="Address">The address it came from, or that a trusted proxy gave.</param>
/// <param name="ClientId">The client it names.</param>
internal readonly record struct TokenCaller(IPAddress Address, string ClientId);
