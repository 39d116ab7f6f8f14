using System.Text;
using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Resources;

namespace ApiJobs.Tests.Resources;

public sealed class RecordParserTests
{
    private const string Id = "4528a261-917d-4cbc-939e-7ea48cffca69";

    private static readonly Resource Things = new("thing", "Thing", "things",
    [
        Field.Text("ref", maxLength: 5) with { IsUnique = true },
        Field.Uuid("owner_id"),
        Field.Date("born"),
        Field.Integer("size"),
        Field.Boolean("active"),
        Field.Map("meta", maxMembers: 2, maxLength: 3),
        Field.Text("title", maxLength: 10) with { IsRequired = true },
    ]);

    public static TheoryData<string, string, string> Faults => new()
    {
        { """{"title":"t"}""", RecordErrorCodes.MissingKey, "/id" },
        { """{"id":null}""", RecordErrorCodes.MissingKey, "/id" },
        { """{"id":7}""", RecordErrorCodes.WrongType, "/id" },
        { """{"id":{"a":[1]}}""", RecordErrorCodes.WrongType, "/id" },
        { """{"id":"abc"}""", RecordErrorCodes.InvalidFormat, "/id" },
        { """{"id":"4528a261917d4cbc939e7ea48cffca69"}""", RecordErrorCodes.InvalidFormat, "/id" },
        { """{"id":"\u0000"}""", RecordErrorCodes.InvalidCharacter, "/id" },
        { $$"""{"id":"{{Id}}","id":"{{Id}}"}""", RecordErrorCodes.DuplicateField, "/id" },
        { $$"""{"id":"{{Id}}","colour":"red"}""", RecordErrorCodes.UnknownField, "/colour" },
        { $$"""{"id":"{{Id}}","a/b~c":1}""", RecordErrorCodes.UnknownField, "/a~1b~0c" },
        { $$"""{"id":"{{Id}}","Ref":"x"}""", RecordErrorCodes.UnknownField, "/Ref" },
        { $$"""{"id":"{{Id}}","company_id":"{{Id}}"}""", RecordErrorCodes.ProtectedField, "/company_id" },
        { $$"""{"id":"{{Id}}","updated_at":null}""", RecordErrorCodes.ProtectedField, "/updated_at" },
        { $$"""{"id":"{{Id}}","ref":"a","ref":"b"}""", RecordErrorCodes.DuplicateField, "/ref" },
        { $$"""{"id":"{{Id}}","ref":1}""", RecordErrorCodes.WrongType, "/ref" },
        { $$"""{"id":"{{Id}}","ref":["a"]}""", RecordErrorCodes.WrongType, "/ref" },
        { $$"""{"id":"{{Id}}","ref":"123456"}""", RecordErrorCodes.TooLong, "/ref" },
        { $$"""{"id":"{{Id}}","ref":"a\u0000"}""", RecordErrorCodes.InvalidCharacter, "/ref" },
        { $$"""{"id":"{{Id}}","ref":"\ud800"}""", RecordErrorCodes.InvalidCharacter, "/ref" },
        { $$"""{"id":"{{Id}}","\ud800":1}""", RecordErrorCodes.InvalidCharacter, "" },
        { $$"""{"id":"{{Id}}","owner_id":"nobody"}""", RecordErrorCodes.InvalidFormat, "/owner_id" },
        { $$"""{"id":"{{Id}}","born":"31/12/1999"}""", RecordErrorCodes.InvalidFormat, "/born" },
        { $$"""{"id":"{{Id}}","born":"2023-02-29"}""", RecordErrorCodes.InvalidFormat, "/born" },
        { $$"""{"id":"{{Id}}","born":20240101}""", RecordErrorCodes.WrongType, "/born" },
        { $$"""{"id":"{{Id}}","size":1.5}""", RecordErrorCodes.InvalidFormat, "/size" },
        { $$"""{"id":"{{Id}}","size":1e400}""", RecordErrorCodes.InvalidFormat, "/size" },
        { $$"""{"id":"{{Id}}","size":9223372036854775808}""", RecordErrorCodes.OutOfRange, "/size" },
        { $$"""{"id":"{{Id}}","size":"big"}""", RecordErrorCodes.InvalidFormat, "/size" },
        { $$"""{"id":"{{Id}}","size":true}""", RecordErrorCodes.WrongType, "/size" },
        { $$"""{"id":"{{Id}}","active":"yes"}""", RecordErrorCodes.InvalidFormat, "/active" },
        { $$"""{"id":"{{Id}}","active":1}""", RecordErrorCodes.WrongType, "/active" },
        { $$"""{"id":"{{Id}}","meta":"x"}""", RecordErrorCodes.WrongType, "/meta" },
        { $$"""{"id":"{{Id}}","meta":{"a":1} }""", RecordErrorCodes.WrongType, "/meta/a" },
        { $$"""{"id":"{{Id}}","meta":{"a":{"b":{} } } }""", RecordErrorCodes.WrongType, "/meta/a" },
        { $$"""{"id":"{{Id}}","meta":{"a":"1234"} }""", RecordErrorCodes.TooLong, "/meta/a" },
        { $$"""{"id":"{{Id}}","meta":{"a":"1","a":"2"} }""", RecordErrorCodes.DuplicateField, "/meta/a" },
        { $$"""{"id":"{{Id}}","meta":{"a":"1","b":"1","c":"1","d":"1","e":{"x":{} } } }""", RecordErrorCodes.TooManyMembers, "/meta" },
        { $$"""{"id":"{{Id}}","meta":{"a":"\udc00"} }""", RecordErrorCodes.InvalidCharacter, "/meta/a" },
        { $$"""{"id":"{{Id}}","title":null}""", RecordErrorCodes.RequiredField, "/title" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_wrong_record_gets_its_error_with_a_code_and_a_pointer(string json, string code, string pointer)
    {
        var error = Prepare(json, ResourceVerb.Update).Errors.ShouldHaveSingleItem();

        (error.Code, error.Pointer).ShouldBe((code, pointer));
        error.Message.ShouldEndWith(".");
    }

    [Fact]
    public void All_faults_of_a_record_are_reported_at_once_up_to_a_bound()
    {
        Prepare("""{"id":"x","ref":1,"born":"y","colour":2}""", ResourceVerb.Update).Errors.Count.ShouldBe(4);

        var members = string.Join(',', Enumerable.Range(0, 1_000).Select(i => $"\"x{i}\":0"));
        Prepare($"{{{members}}}", ResourceVerb.Update).Errors.Count.ShouldBe(JobRecord.MaxErrors);
    }

    [Theory]
    [InlineData(JobRecord.MaxErrors)]
    [InlineData(1_000)]
    public void A_record_with_many_errors_before_its_key_keeps_its_key(int errors)
    {
        var members = string.Join(',', Enumerable.Range(0, errors).Select(i => $"\"x{i}\":[{i}]"));

        var record = Prepare($$"""{{{members}},"id":"{{Id}}","title":"t"}""", ResourceVerb.Update);

        record.Key.ShouldBe(Id);
        record.Errors.Count.ShouldBe(JobRecord.MaxErrors);
        record.Errors.ShouldAllBe(error => error.Code == RecordErrorCodes.UnknownField);

        var byRef = Prepare($$"""{{{members}},"ref":"R1","title":"t"}""", ResourceVerb.Upsert, new JobOptions { KeyField = "ref" });
        byRef.Key.ShouldBe("R1");
        byRef.Errors.ShouldAllBe(error => error.Code == RecordErrorCodes.UnknownField);
    }

    [Fact]
    public void A_field_with_a_long_name_is_pointed_at_by_the_record_and_shown_in_short()
    {
        var error = Prepare($$"""{"id":"{{Id}}","{{new string('x', 100_000)}}":1}""", ResourceVerb.Update).Errors.ShouldHaveSingleItem();
        (error.Code, error.Pointer).ShouldBe((RecordErrorCodes.UnknownField, ""));
        error.Message.Length.ShouldBeLessThan(200);

        var member = Prepare($$"""{"id":"{{Id}}","meta":{"{{new string('x', 100_000)}}":1} }""", ResourceVerb.Update).Errors;
        member.ShouldAllBe(fault => fault.Pointer == "/meta");
    }

    [Fact]
    public void The_fields_there_are_are_named_once_in_a_record()
    {
        var errors = Prepare($$"""{"id":"{{Id}}","colour":1,"shade":2,"titel":3}""", ResourceVerb.Update).Errors;

        errors.Select(error => error.Message).ShouldBe(
        [
            "There is no field 'colour'; the fields are id, ref, owner_id, born, size, active, meta, title.",
            "There is no field 'shade'.",
            "There is no field 'titel'; the nearest is 'title'.",
        ]);
    }

    [Fact]
    public void Values_are_read_into_their_canonical_form()
    {
        var record = Prepare(
            $$"""{"\u0069d":"{{Id.ToUpperInvariant()}}","ref":"𝒜𝒜𝒜𝒜𝒜","owner_id":"{{Id.ToUpperInvariant()}}","born":"2024-02-29","size":-0,"active":true,"meta":{"b":"2","a":null},"title":""}""",
            ResourceVerb.Update);

        record.Errors.ShouldBeEmpty();
        record.Key.ShouldBe(Id.ToUpperInvariant());
        var change = (RecordChange)record.Content!;
        change.SentId.ShouldBe(Guid.Parse(Id));
        change.Values.ShouldBe(["𝒜𝒜𝒜𝒜𝒜", Id, "2024-02-29", "0", "true", """{"a":null,"b":"2"}""", ""]);
    }

    [Theory]
    [InlineData("""{"size":"42","active":"false"}""", "42", "false")]
    public void Numbers_and_booleans_may_be_sent_as_text_because_CSV_has_no_other_form(string json, string size, string active)
    {
        var change = (RecordChange)Prepare(json, ResourceVerb.Create).Content!;

        (change.Values[3], change.Values[4]).ShouldBe((size, active));
    }

    [Fact]
    public void Null_clears_and_absent_leaves()
    {
        var change = (RecordChange)Prepare($$"""{"id":"{{Id}}","ref":null}""", ResourceVerb.Update).Content!;

        change.Has(0).ShouldBeTrue();
        change.Values[0].ShouldBeNull();
        change.Has(1).ShouldBeFalse();
    }

    [Fact]
    public void A_create_may_leave_the_id_out_and_must_bring_what_is_required()
    {
        var record = Prepare("{}", ResourceVerb.Create);

        record.Errors.ShouldHaveSingleItem().Code.ShouldBe(RecordErrorCodes.RequiredField);
        record.Key.ShouldBeNull();
        Guid.Parse(record.MadeKey!).Version.ShouldBe(7);
    }

    [Theory]
    [InlineData("""{"id":"a\nb"}""")]
    [InlineData("""{"id":""}""")]
    [InlineData("""{"id":12}""")]
    public void A_key_that_cannot_stand_in_a_line_is_not_shown(string json) =>
        Prepare(json, ResourceVerb.Update).Key.ShouldBeNull();

    [Fact]
    public void Callers_text_in_messages_is_short_and_on_one_line()
    {
        var error = Prepare($$"""{"id":"{{Id}}","born":"a\r\n\u001b[31m{{new string('x', 500)}}"}""", ResourceVerb.Update).Errors.ShouldHaveSingleItem();

        error.Message.Any(char.IsControl).ShouldBeFalse();
        error.Message.Length.ShouldBeLessThan(150);
    }

    [Fact]
    public void An_upsert_by_another_field_needs_that_field_and_shows_it_as_the_key()
    {
        var options = new JobOptions { KeyField = "ref" };

        Prepare("""{"ref":"R1","title":"t"}""", ResourceVerb.Upsert, options).Key.ShouldBe("R1");
        var error = Prepare("""{"title":"t"}""", ResourceVerb.Upsert, options).Errors.ShouldHaveSingleItem();
        (error.Code, error.Pointer).ShouldBe((RecordErrorCodes.MissingKey, "/ref"));
    }

    private static JobRecord Prepare(string json, ResourceVerb verb, JobOptions? options = null)
    {
        var record = new JobRecord(Guid.CreateVersion7(), 0, Encoding.UTF8.GetBytes(json));
        new ResourceOperation(Things, verb, new([Things])).Prepare(record, options ?? JobOptions.None);
        return record;
    }
}
