using System.Collections.Immutable;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using OpenIddict.Abstractions;
using OpenIddict.Core;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Abstractions.OpenIddictExceptions;

namespace ApiJobs.Server.OAuth;

/// <summary>Makes, lists and revokes OAuth clients. What it writes is in force on every node within seconds.</summary>
internal sealed class ClientRegistry(OpenIddictApplicationManager<ApiClient> clients, OAuthDbContext context, TimeProvider time)
{
    /// <summary>Adds a client; its secret is stored hashed.</summary>
    /// <returns><see langword="false"/> if there is a client of this id already, revoked or not; nothing was changed.</returns>
    public async Task<bool> TryAddAsync(
        string clientId, string secret, Guid companyId, IEnumerable<string> scopes, CancellationToken cancellationToken)
    {
        if (await clients.FindByClientIdAsync(clientId, cancellationToken) is not null)
            return false;

        var client = new ApiClient { CompanyId = companyId };
        var descriptor = new OpenIddictApplicationDescriptor
        {
            ClientId = clientId,
            ClientType = ClientTypes.Confidential,
            Permissions = { Permissions.Endpoints.Token, Permissions.GrantTypes.ClientCredentials },
        };
        descriptor.Permissions.UnionWith(scopes.Select(scope => Permissions.Prefixes.Scope + scope));
        await clients.PopulateAsync(client, descriptor, cancellationToken);
        try
        {
            await clients.CreateAsync(client, secret, cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is ValidationException or DbUpdateException { InnerException: DbException })
        {
            // Another node, or another operator, may have been quicker; OpenIddict looks once more before it writes.
            context.ChangeTracker.Clear();
            if (await context.Clients.AnyAsync(other => other.ClientId == clientId, cancellationToken))
                return false;
            throw;
        }
    }

    /// <summary>Reads all clients, in the order of their ids.</summary>
    public Task<List<ApiClient>> ListAsync(CancellationToken cancellationToken) =>
        context.Clients.AsNoTracking().OrderBy(client => client.ClientId).ToListAsync(cancellationToken);

    /// <summary>Refuses a client from now on: no new tokens, and its old ones are refused within seconds. Revoking twice is no error.</summary>
    /// <returns><see langword="false"/> if there is no such client.</returns>
    public async Task<bool> RevokeAsync(string clientId, CancellationToken cancellationToken)
    {
        if (await clients.FindByClientIdAsync(clientId, cancellationToken) is not { } client)
            return false;
        client.RevokedAt ??= time.GetUtcNow();
        await clients.UpdateAsync(client, cancellationToken);
        return true;
    }

    /// <summary>Gives a client another secret; the old one is good for nothing from then on. Tokens it has stay good until they run out.</summary>
    /// <returns><see langword="false"/> if there is no such client, or it was revoked.</returns>
    public async Task<bool> ReplaceSecretAsync(string clientId, string secret, CancellationToken cancellationToken)
    {
        if (await clients.FindByClientIdAsync(clientId, cancellationToken) is not { RevokedAt: null } client)
            return false;
        await clients.UpdateAsync(client, secret, cancellationToken);
        return true;
    }

    /// <summary>The scopes a client may ask for, in the order of <see cref="Scopes.All"/>.</summary>
    public async Task<IReadOnlyList<string>> ScopesOfAsync(ApiClient client, CancellationToken cancellationToken)
    {
        ImmutableArray<string> permissions = await clients.GetPermissionsAsync(client, cancellationToken);
        return [.. Scopes.All.Where(scope => permissions.Contains(Permissions.Prefixes.Scope + scope))];
    }
}
