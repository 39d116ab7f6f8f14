using System.Security.Claims;
using ApiJobs.AspNetCore.Callers;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>How a caller is found where the application does not say it in its own way.</summary>
public sealed class ClaimsCallerTests
{
    private const string Company = "aff00be6-f734-4094-a8ae-62874485dac0";

    [Theory]
    [InlineData("client_id=crm azp=other sub=user", "crm")]
    [InlineData("azp=crm sub=user", "crm")]
    [InlineData("sub=crm", "crm")]
    [InlineData("client_id= sub=crm", "crm")]
    [InlineData("", null)]
    public async Task The_client_is_the_first_claim_that_says_so(string claims, string? client) =>
        (await ReadAsync($"company_id={Company} scope=jobs:read {claims}"))!.ClientId.ShouldBe(client);

    [Fact]
    public async Task Scopes_may_be_repeated() =>
        (await ReadAsync($"company_id={Company} scope=jobs:read scope=cases:read"))!.Scopes.ShouldBe(["jobs:read", "cases:read"]);

    [Theory]
    [InlineData("scope=jobs:read")]
    [InlineData("company_id=acme scope=jobs:read")]
    public async Task Who_belongs_to_no_company_is_nobody(string claims) => (await ReadAsync(claims)).ShouldBeNull();

    private static ValueTask<ApiJobCaller?> ReadAsync(string claims)
    {
        var pairs = claims.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(claim => claim.Split('='));
        var identity = new ClaimsIdentity(pairs.Select(pair => new Claim(pair[0], pair[1])), "test");
        return ClaimsCaller.ReadAsync(new DefaultHttpContext { User = new(identity) });
    }
}
