using ApiJobs.Records;

namespace ApiJobs.Tests.Records;

public sealed class NearestNameTests
{
    private static readonly string[] Names = ["id", "ref", "meta", "first_names", "date_of_birth", "address_1", "address_2", "postcode"];

    [Theory]
    [InlineData("refs", "ref")]
    [InlineData("ID", "id")]
    [InlineData("firstNames", "first_names")]
    [InlineData("First Name", "first_names")]
    [InlineData("date-of-brith", "date_of_birth")]
    [InlineData("adress_2", "address_2")]
    [InlineData("zipcode", null)]
    [InlineData("x", null)]
    [InlineData("", null)]
    public void The_name_that_was_probably_meant_is_found_or_none(string name, string? nearest) => NearestName.Of(name, Names).ShouldBe(nearest);

    [Fact]
    public void A_name_of_any_length_costs_nothing() => NearestName.Of(new string('x', 1 << 20), Names).ShouldBeNull();
}
