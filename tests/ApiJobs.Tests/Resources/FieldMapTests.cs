using ApiJobs.Resources;

namespace ApiJobs.Tests.Resources;

public sealed class FieldMapTests
{
    [Theory]
    [InlineData(null, """{"b":"2","a":"1"}""", """{"a":"1","b":"2"}""")]
    [InlineData("""{"a":"1"}""", """{"b":"2"}""", """{"a":"1","b":"2"}""")]
    [InlineData("""{"a":"1","b":"2"}""", """{"a":null}""", """{"b":"2"}""")]
    [InlineData("""{"a":"1"}""", """{"a":null}""", null)]
    [InlineData("""{"a":"1"}""", """{"c":null}""", """{"a":"1"}""")]
    [InlineData("""{"a":"1"}""", "{}", """{"a":"1"}""")]
    [InlineData("""{"a":"1"}""", null, null)]
    [InlineData(null, """{"a":null}""", null)]
    public void A_patch_merges_name_by_name_and_null_removes(string? current, string? patch, string? merged)
    {
        FieldMap.TryMerge(current, patch, 100, out var result).ShouldBeTrue();
        result.ShouldBe(merged);
    }

    [Fact]
    public void A_result_with_too_many_members_is_refused_but_replacing_one_is_not()
    {
        FieldMap.TryMerge("""{"a":"1","b":"2"}""", """{"c":"3"}""", 2, out _).ShouldBeFalse();
        FieldMap.TryMerge("""{"a":"1","b":"2"}""", """{"a":null,"c":"3"}""", 2, out var merged).ShouldBeTrue();
        merged.ShouldBe("""{"b":"2","c":"3"}""");
    }
}
