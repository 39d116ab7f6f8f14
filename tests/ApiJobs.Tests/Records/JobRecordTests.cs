using System.Text;
using ApiJobs.Records;

namespace ApiJobs.Tests.Records;

/// <summary>Whatever an operation says of a record, what is kept of it can be stored and shown, and is bounded.</summary>
public sealed class JobRecordTests
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    // Attributes cannot hold half a surrogate pair.
    public static TheoryData<string> Texts => new()
    {
        "a\0b",
        "half a surrogate \ud83d",
        "two\nlines",
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void An_error_given_by_an_operation_can_always_be_stored_and_shown(string text)
    {
        var record = new JobRecord(Guid.CreateVersion7(), 0, default) { Key = text, MadeKey = text };
        record.Fail(text, text, "/" + text);

        var error = record.Errors.ShouldHaveSingleItem();
        foreach (var kept in (string[])[error.Code, error.Message, error.Pointer])
        {
            kept.Any(char.IsControl).ShouldBeFalse();
            Should.NotThrow(() => Strict.GetByteCount(kept));
        }

        error.Pointer.ShouldBe("");
        record.Key.ShouldBeNull();
        record.MadeKey.ShouldBeNull();
    }

    [Fact]
    public void A_key_is_shown_exactly_or_not_at_all()
    {
        var record = new JobRecord(Guid.CreateVersion7(), 0, default) { Key = new('k', JobRecord.MaxKeyLength) };
        record.Key.ShouldBe(new('k', JobRecord.MaxKeyLength));

        record.Key += "k";
        record.Key.ShouldBeNull();
        record.Key = "";
        record.Key.ShouldBeNull();
        record.Key = "zoë 😀";
        record.Key.ShouldBe("zoë 😀");
    }

    [Fact]
    public void The_errors_of_a_record_are_bounded_in_number_and_length()
    {
        var record = new JobRecord(Guid.CreateVersion7(), 0, default);
        for (var i = 0; i < 1_000; i++)
            record.Fail(new('c', 5_000), new('m', 5_000), "/" + new string('p', 5_000));

        record.Outcome.ShouldBe(RecordOutcome.Failed);
        record.Errors.Count.ShouldBe(JobRecord.MaxErrors);
        record.Errors.ShouldAllBe(error =>
            error.Code.Length <= JobRecord.MaxCodeLength && error.Message.Length <= JobRecord.MaxMessageLength && error.Pointer == "");
    }

    [Fact]
    public void A_record_that_failed_in_an_attempt_that_was_rolled_back_may_fail_again()
    {
        var record = new JobRecord(Guid.CreateVersion7(), 0, default);
        for (var attempt = 0; attempt < 3; attempt++)
        {
            record.ForgetAttempt();
            record.Fail("wrong", $"In attempt {attempt}.");
        }

        record.Errors.ShouldHaveSingleItem().Message.ShouldBe("In attempt 2.");
    }
}
