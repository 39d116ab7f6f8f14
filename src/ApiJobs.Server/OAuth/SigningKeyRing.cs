using System.Data.Common;
using ApiJobs.Server.Settings;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Primitives;
using Microsoft.IdentityModel.Tokens;

namespace ApiJobs.Server.OAuth;

/// <summary>The keys that sign access tokens, as the database has them: the newest signs, all verify.</summary>
/// <remarks>
/// Nodes agree through the database alone. A new key has the generation after the newest one as its primary key, so of
/// several nodes that find the key too old one makes the next and the others load it. A node that meets a token it
/// cannot verify looks for new keys at once (<see cref="RefreshSoonAsync"/>), so a key may sign from its first moment.
/// </remarks>
internal sealed class SigningKeyRing(
    IDbContextFactory<OAuthDbContext> contexts, SigningKeyProtection protection, OAuthSettings settings, TimeProvider time,
    ILogger<SigningKeyRing> logger)
    : IDisposable
{
    private static readonly TimeSpan MinRefreshInterval = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _oneAtATime = new(1);
    private CancellationTokenSource _changed = new();
    private volatile IReadOnlyList<RsaSecurityKey> _keys = [];
    private long _soonAt;

    /// <summary>The keys, newest first. Empty until the first <see cref="RefreshAsync"/>.</summary>
    public IReadOnlyList<RsaSecurityKey> Keys => _keys;

    /// <summary>A token that fires when <see cref="Keys"/> changes.</summary>
    public IChangeToken NextChange => new CancellationChangeToken(Volatile.Read(ref _changed).Token);

    /// <summary>Loads the keys; makes the first one, or the next when the newest is too old; removes those whose tokens are dead.</summary>
    /// <returns>Whether the keys changed.</returns>
    public async Task<bool> RefreshAsync(CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            return await LoadAsync(cancellationToken);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Loads the keys unless a token made it load them less than a second ago: what strangers' tokens may cost us is bounded.</summary>
    /// <remarks>Loading by the clock does not count: it may have been just before a new key came.</remarks>
    /// <returns>Whether the keys changed.</returns>
    public async Task<bool> RefreshSoonAsync(CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            if (time.GetElapsedTime(_soonAt) < MinRefreshInterval)
                return false;
            _soonAt = time.GetTimestamp();
            return await LoadAsync(cancellationToken);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Makes the next key now.</summary>
    /// <param name="removeOld">Also remove the others: every token they signed is refused from then on.</param>
    /// <param name="cancellationToken">Cancels before the key is stored.</param>
    /// <returns>The id of the key that signs now.</returns>
    public async Task<string> RotateAsync(bool removeOld, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var newest = await context.SigningKeys.MaxAsync(key => (int?)key.Generation, cancellationToken) ?? 0;
        await AddAsync(newest + 1, cancellationToken);
        if (removeOld)
            await context.SigningKeys.Where(key => key.Generation <= newest).ExecuteDeleteAsync(cancellationToken);
        await RefreshAsync(cancellationToken);
        return Keys[0].KeyId;
    }

    public void Dispose()
    {
        _changed.Dispose();
        _oneAtATime.Dispose();
    }

    private async Task<bool> LoadAsync(CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var stored = await ReadAsync(context, cancellationToken);
        if (stored.Count == 0 || stored[0].CreatedAt + settings.KeyRotation <= time.GetUtcNow())
        {
            await AddAsync(stored.Count == 0 ? 1 : stored[0].Generation + 1, cancellationToken);
            stored = await ReadAsync(context, cancellationToken);
        }

        await RemoveDeadAsync(context, stored, cancellationToken);
        await EncryptAsync(context, stored, cancellationToken);
        if (stored.Select(key => key.Kid).SequenceEqual(_keys.Select(key => key.KeyId)))
            return false;

        // Keys that stay keep their objects: IdentityModel caches what it needs to verify with them.
        var known = _keys.ToDictionary(key => key.KeyId, StringComparer.Ordinal);
        _keys = [.. stored.Select(key => known.TryGetValue(key.Kid, out var open) ? open : protection.Open(key))];
        using var fired = Interlocked.Exchange(ref _changed, new());
        await fired.CancelAsync();
        return true;
    }

    private static Task<List<StoredSigningKey>> ReadAsync(OAuthDbContext context, CancellationToken cancellationToken) =>
        context.SigningKeys.AsNoTracking().OrderByDescending(key => key.Generation).ToListAsync(cancellationToken);

    private async Task AddAsync(int generation, CancellationToken cancellationToken)
    {
        // A context of its own: after a lost race it would go on trying to insert the same row.
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        context.SigningKeys.Add(protection.MakeKey(generation, time.GetUtcNow()));
        try
        {
            await context.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException exception) when (exception.InnerException is DbException)
        {
            // Another node may have made this generation; anything else that went wrong goes on to the caller.
            if (!await context.SigningKeys.AnyAsync(key => key.Generation == generation, cancellationToken))
                throw;
        }
    }

    // Those that were stored before there was a key for that. Of several nodes, one writes each row, and the others nothing.
    private async Task EncryptAsync(OAuthDbContext context, List<StoredSigningKey> stored, CancellationToken cancellationToken)
    {
        var count = 0;
        foreach (var clear in stored.Where(key => protection.Encrypts && !key.IsEncrypted))
        {
            var encrypted = protection.Encrypt(clear);
            count += await context.SigningKeys.Where(key => key.Generation == clear.Generation && !key.IsEncrypted).ExecuteUpdateAsync(
                key => key.SetProperty(row => row.PrivateKey, encrypted).SetProperty(row => row.IsEncrypted, true), cancellationToken);
        }

        if (count > 0)
        {
            logger.LogWarning(
                "{KeyCount} signing keys that were stored in clear were encrypted. Copies of the database from before still have them: keys rotate --remove-old makes those worthless.",
                count);
        }
    }

    private async Task RemoveDeadAsync(OAuthDbContext context, List<StoredSigningKey> stored, CancellationToken cancellationToken)
    {
        // A key has signed nothing since its successor was made; when the last token from before then has run out, the key is dead.
        var deadBefore = time.GetUtcNow() - (settings.TokenLifetime + 2 * OAuthSettings.ClockSkew + SigningKeyRefresh.Interval);
        for (var index = stored.Count - 1; index > 0 && stored[index - 1].CreatedAt < deadBefore; index--)
        {
            var generation = stored[index].Generation;
            await context.SigningKeys.Where(key => key.Generation == generation).ExecuteDeleteAsync(cancellationToken);
            stored.RemoveAt(index);
        }
    }
}
