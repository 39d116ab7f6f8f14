using System.Text;
using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Resources;

namespace ApiJobs.Tests.Resources;

public sealed class CanonicalTextTests
{
    private const string Id = "0da384c3-917d-4cbc-939e-7ea48cffca69";

    private static readonly Resource Things = new("thing", "Thing", "things", [Field.Uuid("owner_id")]);

    /// <summary>Strings that the framework takes for UUIDs, and for other ones than a reader would guess.</summary>
    public static TheoryData<string> NoUuids => new()
    {
        "+da384c3-917d-4cbc-939e-7ea48cffca69",
        "0xa384c3-917d-4cbc-939e-7ea48cffca69",
        "0da384c3-+17d-4cbc-939e-7ea48cffca69",
        "0da384c3-0x7d-4cbc-939e-7ea48cffca69",
        "0da384c3-917d-4cbc-939e-+ea48cffca69",
        " 0da384c3-917d-4cbc-939e-7ea48cffca69",
        "0da384c3-917d-4cbc-939e-7ea48cffca69\n",
        "\u00A00da384c3-917d-4cbc-939e-7ea48cffca69 ",
        "{0da384c3-917d-4cbc-939e-7ea48cffca69}",
        "(0da384c3-917d-4cbc-939e-7ea48cffca69)",
        "0da384c3917d4cbc939e7ea48cffca69",
        "{0x0da384c3,0x917d,0x4cbc,{0x93,0x9e,0x7e,0xa4,0x8c,0xff,0xca,0x69}}",
        "0da384c3-917d-4cbc-939e-7ea48cffca6",
        "0da384c3-917d-4cbc-939e-7ea48cffca6g",
        "0da384c3_917d_4cbc_939e_7ea48cffca69",
        "０da384c3-917d-4cbc-939e-7ea48cffca69",
        "",
    };

    [Theory]
    [MemberData(nameof(NoUuids))]
    public void What_is_no_UUID_is_never_taken_for_another_row(string text)
    {
        var json = JsonEncode(text);

        UuidText.TryRead(text, out _).ShouldBeFalse();
        Prepare($$"""{"id":{{json}}}""").Errors.ShouldHaveSingleItem().Code.ShouldBe(RecordErrorCodes.InvalidFormat);
        Prepare($$"""{"id":"{{Id}}","owner_id":{{json}}}""").Errors.ShouldHaveSingleItem().Pointer.ShouldBe("/owner_id");
        CanonicalText.TryRead(FieldType.Uuid, text, out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("0da384c3-917d-4cbc-939e-7ea48cffca69")]
    [InlineData("0DA384C3-917D-4CBC-939E-7EA48CFFCA69")]
    [InlineData("0dA384c3-917d-4cBC-939e-7ea48cffCA69")]
    public void A_UUID_may_be_written_in_either_case_and_has_one_canonical_form(string text)
    {
        UuidText.TryRead(text, out var id).ShouldBeTrue();

        id.ShouldBe(Guid.Parse(Id));
        CanonicalText.TryRead(FieldType.Uuid, text, out var canonical).ShouldBeTrue();
        canonical.ShouldBe(Id);
    }

    public static TheoryData<FieldType, string, string?> Values => new()
    {
        { FieldType.Text, " as it is\n", " as it is\n" },
        { FieldType.Date, "2024-02-29", "2024-02-29" },
        { FieldType.Date, "2023-02-29", null },
        { FieldType.Date, " 2024-02-29", null },
        { FieldType.Date, "2024-2-29", null },
        { FieldType.Date, "٢٠٢٤-02-29", null },
        { FieldType.Integer, "-0", "0" },
        { FieldType.Integer, "+7", "7" },
        { FieldType.Integer, "007", "7" },
        { FieldType.Integer, "-9223372036854775808", "-9223372036854775808" },
        { FieldType.Integer, "9223372036854775808", null },
        { FieldType.Integer, " 7", null },
        { FieldType.Integer, "1.0", null },
        { FieldType.Boolean, "true", "true" },
        { FieldType.Boolean, "True", null },
        { FieldType.Map, "{}", null },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void A_value_has_one_canonical_form_or_none(FieldType type, string text, string? canonical)
    {
        CanonicalText.TryRead(type, text, out var read).ShouldBe(canonical is not null);
        read.ShouldBe(canonical);
    }

    private static JobRecord Prepare(string json)
    {
        var record = new JobRecord(Guid.CreateVersion7(), 0, Encoding.UTF8.GetBytes(json));
        new ResourceOperation(Things, ResourceVerb.Update, new([Things])).Prepare(record, JobOptions.None);
        return record;
    }

    private static string JsonEncode(string text) => System.Text.Json.Nodes.JsonValue.Create(text).ToJsonString();
}
