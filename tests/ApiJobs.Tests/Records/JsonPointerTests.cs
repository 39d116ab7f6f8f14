using ApiJobs.Records;

namespace ApiJobs.Tests.Records;

public sealed class JsonPointerTests
{
    [Fact]
    public void Members_are_escaped()
    {
        JsonPointer.To("ref").ShouldBe("/ref");
        JsonPointer.To("a/b~c").ShouldBe("/a~1b~0c");
        JsonPointer.To("meta", "~1").ShouldBe("/meta/~01");
        JsonPointer.To("").ShouldBe("/");
    }

    // Attributes cannot hold half a surrogate pair.
    public static TheoryData<string, int, string> Pointers => new()
    {
        { "/meta/a", 7, "/meta/a" },
        { "/meta/ab", 7, "/meta" },
        { "/abcdefgh", 7, "" },
        { "/a/\0", 7, "/a" },
        { "/\ud800/a", 7, "" },
        { "", 7, "" },
    };

    [Theory]
    [MemberData(nameof(Pointers))]
    public void A_pointer_that_cannot_be_kept_points_to_the_nearest_parent_that_can(string pointer, int maxLength, string kept) =>
        JsonPointer.Bounded(pointer, maxLength).ShouldBe(kept);

    [Theory]
    [InlineData("$", "")]
    [InlineData("$.a.b", "/a/b")]
    [InlineData("$.a[0].b", "/a/0/b")]
    [InlineData("$.a['b.c/d'][2]", "/a/b.c~1d/2")]
    [InlineData("$.a['b", "/a")]
    [InlineData(null, "")]
    public void A_path_of_the_serializer_becomes_a_pointer(string? path, string pointer) => JsonPointer.OfPath(path).ShouldBe(pointer);
}
