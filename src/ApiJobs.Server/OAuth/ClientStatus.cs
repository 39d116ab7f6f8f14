using System.Data.Common;
using ApiJobs.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;

namespace ApiJobs.Server.OAuth;

/// <summary>Whether clients may still call: the one thing about a self-contained token that must be asked for.</summary>
/// <remarks>
/// An answer is used for two seconds, so a revoked client is refused within that on every node. When the database cannot
/// say, nobody is let in or turned away on an old answer: the request fails as unavailable, and could not have been
/// served anyway, since everything there is to read or write is in the same database.
/// </remarks>
internal sealed class ClientStatus(IDbContextFactory<OAuthDbContext> contexts) : IDisposable
{
    private const int MaxClients = 10_000;

    private static readonly TimeSpan UsedFor = TimeSpan.FromSeconds(2);

    private readonly MemoryCache _cache = new(new MemoryCacheOptions { SizeLimit = MaxClients });

    /// <summary>Whether there is a client of this id and it is not revoked.</summary>
    /// <exception cref="StoreUnavailableException">The database does not say.</exception>
    public ValueTask<bool> IsActiveAsync(string clientId, CancellationToken cancellationToken) =>
        _cache.TryGetValue(clientId, out bool active) ? ValueTask.FromResult(active) : new(AskAsync(clientId, cancellationToken));

    public void Dispose() => _cache.Dispose();

    private async Task<bool> AskAsync(string clientId, CancellationToken cancellationToken)
    {
        try
        {
            await using var context = await contexts.CreateDbContextAsync(cancellationToken);
            var active = await context.Clients.AnyAsync(client => client.ClientId == clientId && client.RevokedAt == null, cancellationToken);
            using var entry = _cache.CreateEntry(clientId);
            entry.SetSize(1).SetAbsoluteExpiration(UsedFor).SetValue(active);
            return active;
        }
        catch (Exception exception) when (exception is DbException or TimeoutException or InvalidOperationException { InnerException: DbException })
        {
            throw new StoreUnavailableException("The database did not say whether the client may still call.", exception);
        }
    }
}
