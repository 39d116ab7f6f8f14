using ApiJobs.Records;

namespace ApiJobs.Tests.Records;

public sealed class ShowableTextTests
{
    // Attributes cannot hold half a surrogate pair.
    public static TheoryData<string, string> Texts => new()
    {
        { "plain text, zoë and 😀", "plain text, zoë and 😀" },
        { "", "" },
        { "a\0b", "a?b" },
        { "a\u001b[31mb", "a?[31mb" },
        { "two\r\nlines\tand\u2028more", "two  lines and more" },
        { "half \ud83d", "half \ufffd" },
        { "half \ude00 of it", "half \ufffd of it" },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void A_text_is_shown_on_one_line_with_nothing_in_it_that_acts_or_cannot_be_stored(string text, string shown)
    {
        ShowableText.Of(text, 100).ShouldBe(shown);
        ShowableText.IsShowable(text).ShouldBe(text == shown);
        ShowableText.IsShowable(shown).ShouldBeTrue();
    }

    [Theory]
    [InlineData("12345", "12345")]
    [InlineData("123456", "1234…")]
    [InlineData("123😀6", "123…")]
    [InlineData("12😀56", "12😀…")]
    public void A_long_text_is_cut_between_characters(string text, string shown) => ShowableText.Of(text, 5).ShouldBe(shown);
}
