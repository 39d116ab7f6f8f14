using System.Globalization;
using ApiJobs.Resources;
using static ApiJobs.Stores.Tests.Conformance.TestResources;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>Rows of declared resources, as an operation reads and writes them in its transaction.</summary>
public abstract class RowTests(StoreFixture stores) : StoreTests(stores)
{
    public static TheoryData<string, string?> Values { get; } = new()
    {
        { "notes", null },
        { "notes", "" },
        { "notes", " leading, trailing and two  inner spaces " },
        { "notes", "line\nfeed\r\ntab\t and \u0001 \u001F \u007F" },
        { "notes", "O'Brien said \"x\" \\ % _ ; -- $1 @p {0}" },
        { "notes", "Größe, 日本語, עברית, \u0627\u0644\u0639\u0631\u0628\u064A\u0629, e\u0301 is not \u00E9, \uFEFF, \uFFFD" },
        { "notes", "\U0001F469\u200D\U0001F469\u200D\U0001F467 \U00020BB7 \U0010FFFF" },
        { "notes", "null" },
        { "ref", "00012" },
        { "ref", "1e5" },
        { "parent_id", "00000000-0000-0000-0000-000000000000" },
        { "parent_id", "ffffffff-ffff-ffff-ffff-ffffffffffff" },
        { "parent_id", "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9" },
        { "birthday", "0001-01-01" },
        { "birthday", "1900-02-28" },
        { "birthday", "2024-02-29" },
        { "birthday", "9999-12-31" },
        { "amount", "0" },
        { "amount", "-1" },
        { "amount", "9223372036854775807" },
        { "amount", "-9223372036854775808" },
        { "signed", "true" },
        { "signed", "false" },
        { "meta", """{"a":"1"}""" },
        { "meta", """{"":"empty name","B":"2","a":"1","aa":"","b":"3"}""" },
        { "meta", """{"k \"q\" \\ ":"line\nfeed","é":"日本 😀"}""" },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public async Task A_value_comes_back_as_it_was_inserted(string field, string? value)
    {
        var row = Row(Guid.CreateVersion7(), Now, (field, value));

        await InsertAsync(Company, row);

        await ExpectAsync(row);
    }

    [Theory]
    [MemberData(nameof(Values))]
    public async Task A_value_comes_back_as_it_was_updated(string field, string? value)
    {
        var id = Guid.CreateVersion7();
        await InsertAsync(Company, Row(id, Now, ("notes", "before"), ("meta", """{"x":"y"}"""), ("amount", "7")));
        var row = Row(id, Now, (field, value));

        await UpdateAsync(row, Sample.AllFields);

        await ExpectAsync(row);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("\U0001F600")]
    public async Task A_text_of_the_greatest_length_fits(string character)
    {
        var row = Row(Guid.CreateVersion7(), Now,
            ("notes", Repeat(1000)), ("ref", Repeat(100)), ("meta", $$"""{"m":"{{Repeat(1000)}}"}"""));

        await InsertAsync(Company, row);

        await ExpectAsync(row);

        string Repeat(int count) => string.Concat(Enumerable.Repeat(character, count));
    }

    [Fact]
    public async Task The_times_of_a_row_are_kept_to_the_microsecond()
    {
        var id = Guid.CreateVersion7();
        var created = new DateTimeOffset(2024, 2, 29, 23, 59, 59, 999, 999, TimeSpan.Zero);
        await InsertAsync(Company, new ResourceRow(id, new string?[Sample.Fields.Count], created, created));
        var updated = created.AddMicroseconds(1);

        await UpdateAsync(new ResourceRow(id, new string?[Sample.Fields.Count], updated, updated), FieldSet(Sample, "notes"));

        var row = await FindRowAsync(id);
        row.CreatedAt.ShouldBe(created);
        row.UpdatedAt.ShouldBe(updated);
    }

    [Fact]
    public async Task An_update_writes_only_the_named_fields()
    {
        var id = Guid.CreateVersion7();
        await InsertAsync(Company, Row(id, Now, ("ref", "A1"), ("notes", "old"), ("amount", "1"), ("meta", """{"a":"1"}""")));

        await UpdateAsync(Row(id, Now, ("ref", "never written"), ("notes", "new"), ("signed", "true")), FieldSet(Sample, "notes", "amount"));

        await ExpectAsync(Row(id, Now, ("ref", "A1"), ("notes", "new"), ("meta", """{"a":"1"}""")));
    }

    [Fact]
    public async Task One_write_may_insert_and_update_different_fields_of_different_rows()
    {
        var ids = Enumerable.Range(0, 4).Select(_ => Guid.CreateVersion7()).ToArray();
        await InsertAsync(Company, Row(ids[0], Now, ("notes", "0"), ("amount", "0")), Row(ids[1], Now, ("notes", "1"), ("amount", "1")));

        await InTransactionAsync(Company, transaction => transaction.WriteRowsAsync(Sample, Company,
        [
            new(Row(ids[2], Now, ("ref", "two")), IsNew: true, 0),
            new(Row(ids[0], Now, ("notes", "zero")), IsNew: false, FieldSet(Sample, "notes")),
            new(Row(ids[3], Now, ("ref", "three")), IsNew: true, 0),
            new(Row(ids[1], Now, ("amount", "11")), IsNew: false, FieldSet(Sample, "amount")),
        ], Cancel));

        await ExpectAsync(Row(ids[0], Now, ("notes", "zero"), ("amount", "0")));
        await ExpectAsync(Row(ids[1], Now, ("notes", "1"), ("amount", "11")));
        await ExpectAsync(Row(ids[2], Now, ("ref", "two")));
        await ExpectAsync(Row(ids[3], Now, ("ref", "three")));
    }

    [Fact]
    public async Task Writing_and_reading_nothing_is_fine()
    {
        await InTransactionAsync(Company, async transaction =>
        {
            await transaction.WriteRowsAsync(Sample, Company, [], Cancel);
            (await transaction.UpdateDifferingAsync(Sample, Company, [], Cancel)).ShouldBeEmpty();
            (await transaction.LoadRowsAsync(Sample, Company, [], Sample.AllFields, Cancel)).ShouldBeEmpty();
            (await transaction.FindByUniqueAsync(Sample, Company, Sample.Fields[0], [], Cancel)).ShouldBeEmpty();
        });
    }

    [Theory]
    [MemberData(nameof(Values))]
    public async Task A_row_that_holds_a_value_already_is_left_and_one_that_does_not_is_updated(string field, string? value)
    {
        var (same, other, empty) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        var different = field switch
        {
            "parent_id" => "11111111-1111-1111-1111-111111111111",
            "birthday" => "2000-01-01",
            "amount" => "17",
            "signed" => value == "true" ? "false" : "true",
            _ => "x",
        };
        await InsertAsync(Company, Row(same, Now, (field, value)), Row(other, Now, (field, different)), Row(empty, Now));
        // What is unique can be tried on one of them at a time only.
        await InsertAsync(OtherCompany, Row(same, Now, (field, different)));
        var later = Now.AddMinutes(1);

        (await UpdateDifferingAsync(Row(same, later, (field, value)))).ShouldBeEmpty();
        (await UpdateDifferingAsync(Row(other, later, (field, different)))).ShouldBeEmpty();
        (await UpdateDifferingAsync(Row(empty, later, (field, null)))).ShouldBeEmpty();
        await ExpectAsync(Row(same, Now, (field, value)));

        (await UpdateDifferingAsync(Row(same, later, (field, null)))).ShouldBe(value is null ? [] : [same]);
        (await UpdateDifferingAsync(Row(other, later, (field, value)))).ShouldBe([other]);
        (await UpdateDifferingAsync(Row(empty, later, (field, different)))).ShouldBe([empty]);
        var updated = await FindRowAsync(other);
        updated.Values.ShouldBe(Row(other, later, (field, value)).Values);
        updated.UpdatedAt.ShouldBe(later);
        updated.CreatedAt.ShouldBe(Now);
        (await Rows.FindRowAsync(Sample, OtherCompany, same, Cancel)).ShouldNotBeNull().Values[Sample.IndexOf(field)].ShouldBe(different);

        Task<HashSet<Guid>> UpdateDifferingAsync(ResourceRow row) => this.UpdateDifferingAsync(new RowWrite(row, IsNew: false, FieldSet(Sample, field)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(6)]
    public async Task Of_many_rows_with_several_sets_of_fields_those_are_updated_that_exist_and_differ(int sets)
    {
        string[] fields = ["notes", "amount", "signed", "birthday", "postcode", "parent_id"];
        string[] before = ["n", "1", "true", "2024-02-29", "AB1", "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"];
        string[] after = ["m", "2", "false", "2024-03-01", "AB2", "1a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"];
        var ids = Enumerable.Range(0, 60).Select(_ => Guid.CreateVersion7()).ToArray();
        await InsertAsync(Company, [.. ids.Where((_, index) => index % 5 != 0).Select(id => Row(id, Now, [.. fields.Zip(before)]))]);
        await InsertAsync(OtherCompany, [.. ids.Select(id => Row(id, Now, [.. fields.Zip(before)]))]);

        // Every third names what is there already in its own field, and what is not in a field that it does not name.
        var updated = await UpdateDifferingAsync([.. ids.Select((id, index) => new RowWrite(
            Row(id, Now.AddMinutes(1), [.. fields.Zip(index % 3 == 0 ? before : after)]), IsNew: false, FieldSet(Sample, fields[index % sets])))]);

        updated.ShouldBe(ids.Where((_, index) => index % 5 != 0 && index % 3 != 0), ignoreOrder: true);
        for (var index = 0; index < ids.Length; index++)
        {
            var named = index % sets;
            if (index % 5 == 0)
                (await Rows.FindRowAsync(Sample, Company, ids[index], Cancel)).ShouldBeNull();
            else if (index % 3 == 0)
                await ExpectAsync(Row(ids[index], Now, [.. fields.Zip(before)]));
            else
                (await FindRowAsync(ids[index])).Values.ShouldBe(Row(ids[index], Now, [.. fields.Zip([.. before[..named], after[named], .. before[(named + 1)..]])]).Values);
            (await Rows.FindRowAsync(Sample, OtherCompany, ids[index], Cancel)).ShouldNotBeNull().UpdatedAt.ShouldBe(Now);
        }
    }

    [Fact]
    public async Task Rows_are_loaded_by_id_with_the_fields_asked_for()
    {
        var (known, other, unknown) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        await InsertAsync(Company,
            Row(known, Now, ("ref", "A"), ("notes", "n"), ("amount", "5"), ("signed", "true")), Row(other, Now, ("ref", "B")));

        await InTransactionAsync(Company, async transaction =>
        {
            var rows = await transaction.LoadRowsAsync(Sample, Company, [unknown, known], FieldSet(Sample, "notes", "signed"), Cancel);
            rows.Keys.ShouldBe([known]);
            rows[known].Id.ShouldBe(known);
            rows[known].CreatedAt.ShouldBe(Now);
            rows[known].Values.ShouldBe(Row(known, Now, ("notes", "n"), ("signed", "true")).Values);

            (await transaction.LoadRowsAsync(Sample, Company, [known, other], 0, Cancel)).Keys.ShouldBe([known, other], ignoreOrder: true);
        });
    }

    [Fact]
    public async Task A_transaction_sees_what_it_wrote()
    {
        var id = Guid.CreateVersion7();
        await InTransactionAsync(Company, async transaction =>
        {
            await transaction.WriteRowsAsync(Sample, Company, [new(Row(id, Now, ("ref", "A")), IsNew: true, 0)], Cancel);
            await transaction.WriteRowsAsync(Sample, Company, [new(Row(id, Now, ("ref", "B")), IsNew: false, FieldSet(Sample, "ref"))], Cancel);

            (await transaction.LoadRowsAsync(Sample, Company, [id], Sample.AllFields, Cancel))[id].Values[0].ShouldBe("B");
            (await transaction.FindByUniqueAsync(Sample, Company, Sample.Fields[0], ["A", "B"], Cancel)).ShouldBe([new("B", id)]);
        });
    }

    [Fact]
    public async Task Unique_values_find_their_rows_and_only_equal_ones_do()
    {
        string[] values = ["a", "A", "a ", "e\u0301", "\u00E9", "ß", "ss", "I", "ı", ""];
        var rows = values.Select(value => Row(Guid.CreateVersion7(), Now, ("ref", value))).ToArray();
        await InsertAsync(Company, [.. rows, Row(Guid.CreateVersion7(), Now), Row(Guid.CreateVersion7(), Now)]);

        await InTransactionAsync(Company, async transaction =>
        {
            var found = await transaction.FindByUniqueAsync(Sample, Company, Sample.Fields[0], [.. values, "unknown", "null", "SS"], Cancel);
            found.ShouldBe(rows.ToDictionary(row => row.Values[0]!, row => row.Id), ignoreOrder: true);
        });
    }

    [Fact]
    public async Task Five_thousand_rows_are_written_and_found_at_once()
    {
        var rows = Enumerable.Range(0, 5_000)
            .Select(index => Row(Guid.CreateVersion7(), Now, ("ref", index.ToString(CultureInfo.InvariantCulture)), ("notes", "n"))).ToArray();
        await InsertAsync(Company, rows);

        await InTransactionAsync(Company, async transaction =>
        {
            await transaction.WriteRowsAsync(Sample, Company,
                [.. rows.Select(row => new RowWrite(row with { Values = Row(row.Id, Now, ("amount", row.Values[0])).Values }, false, FieldSet(Sample, "amount")))], Cancel);
            var loaded = await transaction.LoadRowsAsync(Sample, Company, [.. rows.Select(row => row.Id)], Sample.AllFields, Cancel);
            loaded.Count.ShouldBe(5_000);
            loaded.Values.ShouldAllBe(row => row.Values[Sample.IndexOf("amount")] == row.Values[0] && row.Values[Sample.IndexOf("notes")] == "n");
            (await transaction.FindByUniqueAsync(Sample, Company, Sample.Fields[0], [.. rows.Select(row => row.Values[0]!)], Cancel)).Count.ShouldBe(5_000);
        });
    }

    private Task UpdateAsync(ResourceRow row, ulong fields) => InTransactionAsync(Company, transaction =>
        transaction.WriteRowsAsync(Sample, Company, [new(row, IsNew: false, fields)], Cancel));

    private async Task<HashSet<Guid>> UpdateDifferingAsync(params IReadOnlyList<RowWrite> rows)
    {
        HashSet<Guid> updated = [];
        await InTransactionAsync(Company, async transaction => updated = await transaction.UpdateDifferingAsync(Sample, Company, rows, Cancel));
        return updated;
    }

    private async Task<ResourceRow> FindRowAsync(Guid id) => (await Rows.FindRowAsync(Sample, Company, id, Cancel)).ShouldNotBeNull();

    private async Task ExpectAsync(ResourceRow expected)
    {
        var row = await FindRowAsync(expected.Id);
        row.Values.ShouldBe(expected.Values);
        (row with { Values = expected.Values }).ShouldBe(expected);
    }
}
