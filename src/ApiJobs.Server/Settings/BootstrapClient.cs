using ApiJobs.Resources;
using ApiJobs.Server.OAuth;

namespace ApiJobs.Server.Settings;

/// <summary>An OAuth client made at start if there is none of its id. Configuration section <c>Bootstrap:Clients:{n}</c>.</summary>
/// <remarks>For demonstrations, tests and containers. A client that exists, or was revoked, is left as it is.</remarks>
/// <param name="ClientId">The client's id.</param>
/// <param name="ClientSecret">Its secret; stored hashed.</param>
/// <param name="CompanyId">The company whose records it may see.</param>
/// <param name="Scopes">What it may ask for. In configuration one string with spaces, or an array.</param>
internal sealed record BootstrapClient(string ClientId, string ClientSecret, Guid CompanyId, IReadOnlyList<string> Scopes)
{
    /// <summary>Reads all clients of a section, and adds what is wrong to <paramref name="faults"/>.</summary>
    public static IReadOnlyList<BootstrapClient> ReadAll(IConfigurationSection section, List<string> faults)
    {
        var clients = section.GetChildren().Select(client => Read(client, faults)).OfType<BootstrapClient>().ToList();
        foreach (var twice in clients.GroupBy(client => client.ClientId, StringComparer.Ordinal).Where(group => group.Count() > 1))
            faults.Add($"{section.Path} has client id '{twice.Key}' twice. Give every client its own id.");
        return clients;
    }

    private static BootstrapClient? Read(IConfigurationSection section, List<string> faults)
    {
        var countBefore = faults.Count;
        if (ClientIds.FaultOf(section["ClientId"]) is { } idFault)
            faults.Add($"{section.Path}:ClientId {idFault}");
        if (ClientIds.SecretFaultOf(section["ClientSecret"]) is { } secretFault)
            faults.Add($"{section.Path}:ClientSecret {secretFault}");
        if (!UuidText.TryRead(section["CompanyId"], out var companyId) || companyId == Guid.Empty)
            faults.Add($"{section.Path}:CompanyId is '{section["CompanyId"]}'. Set it to the company's id, a UUID such as 'aff00be6-f734-4094-a8ae-62874485dac0'.");

        var scopes = ScopesIn(section.GetSection("Scopes"));
        if (OAuth.Scopes.FaultOf(scopes) is { } scopeFault)
            faults.Add($"{section.Path}:Scopes {scopeFault}");
        return faults.Count == countBefore ? new(section["ClientId"]!, section["ClientSecret"]!, companyId, scopes) : null;
    }

    private static List<string> ScopesIn(IConfigurationSection section) =>
        [.. section.GetChildren().Select(child => child.Value).Prepend(section.Value).OfType<string>().SelectMany(OAuth.Scopes.Split).Distinct(StringComparer.Ordinal)];
}
