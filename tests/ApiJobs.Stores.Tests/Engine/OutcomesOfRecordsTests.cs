using ApiJobs.Jobs;
using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>What becomes of each record: one table of cases, run on every store.</summary>
public abstract class OutcomesOfRecordsTests(StoreFixture stores) : EngineTests(stores)
{
    private const string A = "00000000-0000-7000-8000-00000000000a", B = "00000000-0000-7000-8000-00000000000b",
        C = "00000000-0000-7000-8000-00000000000c", None = "00000000-0000-7000-8000-0000000000ff";

    // Before each case there are: case A with ref "RA", notes "n", meta {"k":"1"}; case B with ref "RB".
    public static TheoryData<string, string, string[], string> Cases_of_records => new()
    {
        { "a create without an id makes one", "customer_case_bulk_create", ["""{"title":"t"}"""], "created" },
        { "a create of an id that exists", "customer_case_bulk_create", [$$"""{"id":"{{A}}","title":"t"}"""], "failed:already_exists/id" },
        { "the same id twice in a create", "customer_case_bulk_create",
            [$$"""{"id":"{{C}}","title":"t"}""", $$"""{"id":"{{C}}","title":"u"}"""], "created failed:already_exists/id" },
        { "a create with a ref that another case has", "customer_case_bulk_create", ["""{"title":"t","ref":"RA"}"""], "failed:not_unique/ref" },
        { "the same new ref twice", "customer_case_bulk_create",
            ["""{"title":"t","ref":"X"}""", """{"title":"t","ref":"X"}"""], "created failed:not_unique/ref" },
        { "two creates without a ref", "customer_case_bulk_create", ["""{"title":"t"}""", """{"title":"t","ref":null}"""], "created created" },
        { "a create without a required field", "customer_case_bulk_create", ["""{"notes":"n"}"""], "failed:required_field/title" },
        { "an update of one field", "customer_case_bulk_update", [$$"""{"id":"{{A}}","notes":"m"}"""], "updated" },
        { "an update of an unknown id", "customer_case_bulk_update", [$$"""{"id":"{{None}}","notes":"m"}"""], "failed:not_found/id" },
        { "an update that changes nothing", "customer_case_bulk_update", [$$"""{"id":"{{A}}","notes":"n"}"""], "unchanged" },
        { "an update that names nothing", "customer_case_bulk_update", [$$"""{"id":"{{A}}"}"""], "unchanged" },
        { "an update that clears a field", "customer_case_bulk_update", [$$"""{"id":"{{A}}","notes":null}"""], "updated" },
        { "an update that clears an empty field", "customer_case_bulk_update", [$$"""{"id":"{{B}}","notes":null}"""], "unchanged" },
        { "an empty text is not no text", "customer_case_bulk_update", [$$"""{"id":"{{B}}","notes":""}"""], "updated" },
        { "there and back again", "customer_case_bulk_update",
            [$$"""{"id":"{{A}}","notes":"m"}""", $$"""{"id":"{{A}}","notes":"n"}""", $$"""{"id":"{{A}}","notes":"n"}"""], "updated updated unchanged" },
        { "a map merges by name", "customer_case_bulk_update", [$$$"""{"id":"{{{A}}}","meta":{"k":"1"}}"""], "unchanged" },
        { "a map gets a member", "customer_case_bulk_update", [$$$"""{"id":"{{{A}}}","meta":{"l":"2"}}"""], "updated" },
        { "a map loses a member it does not have", "customer_case_bulk_update", [$$$"""{"id":"{{{A}}}","meta":{"z":null}}"""], "unchanged" },
        { "a map would have too many members", "customer_case_bulk_update",
            [$$$"""{"id":"{{{A}}}","meta":{"l":"2","m":"3"}}""", $$$"""{"id":"{{{A}}}","meta":{"n":"4"}}"""], "updated failed:too_many_members/meta" },
        { "a ref that is taken", "customer_case_bulk_update", [$$"""{"id":"{{B}}","ref":"RA"}"""], "failed:not_unique/ref" },
        { "a ref that an earlier record freed", "customer_case_bulk_update",
            [$$"""{"id":"{{A}}","ref":"R2"}""", $$"""{"id":"{{B}}","ref":"RA"}"""], "updated updated" },
        { "two refs cannot be swapped in two steps", "customer_case_bulk_update",
            [$$"""{"id":"{{A}}","ref":"RB"}""", $$"""{"id":"{{B}}","ref":"RA"}"""], "failed:not_unique/ref failed:not_unique/ref" },
        { "two refs can be swapped in three", "customer_case_bulk_update",
            [$$"""{"id":"{{A}}","ref":"-"}""", $$"""{"id":"{{B}}","ref":"RA"}""", $$"""{"id":"{{A}}","ref":"RB"}"""], "updated updated updated" },
        { "an upsert of a new id and of an old one", "customer_case_bulk_upsert",
            [$$"""{"id":"{{C}}","title":"t"}""", $$"""{"id":"{{A}}","notes":"m"}""", $$"""{"id":"{{C}}","title":"t"}"""], "created updated unchanged" },
        { "an upsert without an id", "customer_case_bulk_upsert", ["""{"title":"t"}"""], "failed:missing_key/id" },
        { "an upsert that would make a row without a required field", "customer_case_bulk_upsert",
            [$$"""{"id":"{{C}}"}"""], "failed:required_field/title" },
        { "bad records among good ones", "customer_case_bulk_update",
            [
                $$"""{"id":"{{A}}","notes":"m"}""", "{}", """{"id":"x"}""", $$"""{"id":"{{A}}","notes":"a\u0000"}""", $$"""{"id":"{{A}}","notes":"\ud83d"}""",
                $$"""{"id":"{{A}}","colour":1}""", $$"""{"id":"{{A}}","created_at":"x"}""", $$"""{"id":"{{B}}","notes":"m"}""",
            ],
            "updated failed:missing_key/id failed:invalid_format/id failed:invalid_character/notes failed:invalid_character/notes failed:unknown_field/colour failed:protected_field/created_at updated" },
        { "a customer of a case that exists", "customer_bulk_create", [$$"""{"customer_case_id":"{{A}}"}"""], "created" },
        { "a customer of no case", "customer_bulk_create", [$$"""{"customer_case_id":"{{None}}"}"""], "failed:reference_not_found/customer_case_id" },
        { "every type of field", "customer_bulk_create",
            ["""{"last_name":"Ⓦ😀","date_of_birth":"1950-12-31","children":9223372036854775807,"smoker":false}"""], "created" },
        { "values at and over their limits", "customer_bulk_create",
            ["""{"children":-9223372036854775808}""", """{"children":-9223372036854775809}""", """{"date_of_birth":"0001-01-01"}""", """{"date_of_birth":"9999-12-31"}"""],
            "created failed:out_of_range/children created created" },
    };

    [Theory]
    [MemberData(nameof(Cases_of_records))]
    public async Task Each_record_gets_its_outcome(string what, string type, string[] records, string outcomes)
    {
        await RunAsync("customer_case_bulk_create", [$$$"""{"id":"{{{A}}}","title":"a","ref":"RA","notes":"n","meta":{"k":"1"}}""", $$"""{"id":"{{B}}","title":"b","ref":"RB"}"""]);

        var job = await RunAsync(type, records);

        (await OutcomesAsync(job)).ShouldBe(outcomes, what);
        job.Status.ShouldBe(ApiJobStatus.Completed);
        job.Counts.Processed.ShouldBe(records.Length);
        job.MessageEntryCount.ShouldBe(job.Counts.NotEffected);
    }

    [Fact]
    public async Task An_upsert_by_another_unique_field_finds_its_rows_by_it()
    {
        await RunAsync("customer_case_bulk_create", $$"""{"id":"{{A}}","title":"a","ref":"RA"}""");
        var byRef = new JobOptions { KeyField = "ref" };

        var job = (await RunToEndAsync(Store, await SendAsync(Company, "customer_case_bulk_upsert", byRef,
        [
            """{"ref":"RA","notes":"found"}""", """{"ref":"RN","title":"new"}""", """{"ref":"RN","title":"new"}""",
            $$"""{"ref":"RA","id":"{{B}}","notes":"other"}""", $$"""{"ref":"RX","id":"{{A}}","title":"t"}""", """{"title":"no ref"}""",
        ])))[0];

        (await OutcomesAsync(job)).ShouldBe("updated created unchanged failed:not_unique/ref failed:already_exists/id failed:missing_key/ref");
        (await ValueAsync(Cases, Guid.Parse(A), "notes")).ShouldBe("found");
        (await ResultsAsync(job)).Select(result => result.Key).ShouldBe(["RA", "RN", "RN", "RA", "RX", null]);
    }

    [Fact]
    public async Task The_id_that_was_made_for_a_record_is_in_its_result_and_finds_its_row()
    {
        var job = await RunAsync("customer_bulk_create", """{"last_name":"Smith"}""", """{"date_of_birth":"yesterday"}""");

        var results = await ResultsAsync(job);

        (await ValueAsync(Customers, Guid.Parse(results[0].Key!), "last_name")).ShouldBe("Smith");
        results[1].Key.ShouldBeNull();
    }

    [Fact]
    public async Task The_message_has_an_entry_for_each_record_that_was_not_effected_in_the_seed_s_words()
    {
        await RunAsync("customer_case_bulk_create", $$"""{"id":"{{A}}","title":"a","notes":"n"}""");

        var job = await RunAsync("customer_case_bulk_update",
            $$"""{"id":"{{None}}"}""", $$"""{"id":"{{A}}","notes":"n"}""", $$"""{"id":"{{A}}","notes":"changed"}""", """{"notes":"no id"}""");

        const string Rule = "---------------------------";
        const string Sentence = "Case does not exist or record already updated.";
        JobMessageText.Render(job, await MessageAsync(job), "").ShouldBe(
            $"{Rule}\nCase ID: {None} failed with the following errors:\n\n{Sentence}\n{Rule}" +
            $"{Rule}\nCase ID: {A} failed with the following errors:\n\n{Sentence}\n{Rule}" +
            $"{Rule}\nRecord #3 failed with the following errors:\n\nThe record has no 'id'; it is needed to find the row.\n{Rule}");
        job.Counts.Effected.ShouldBe(1);
    }

    [Fact]
    public async Task Another_company_s_rows_are_neither_found_nor_changed()
    {
        await RunAsync("customer_case_bulk_create", $$"""{"id":"{{A}}","title":"mine","ref":"RA"}""");

        var update = await SendAsync(OtherCompany, "customer_case_bulk_update", JobOptions.None, [$$"""{"id":"{{A}}","title":"theirs"}"""]);
        var customer = await SendAsync(OtherCompany, "customer_bulk_create", JobOptions.None, [$$"""{"customer_case_id":"{{A}}"}"""]);
        var create = await SendAsync(OtherCompany, "customer_case_bulk_create", JobOptions.None, [$$"""{"id":"{{A}}","title":"own","ref":"RA"}"""]);
        var jobs = await RunToEndAsync(Store, update, customer, create);

        (await OutcomesAsync(jobs[0])).ShouldBe("failed:not_found/id");
        (await OutcomesAsync(jobs[1])).ShouldBe("failed:reference_not_found/customer_case_id");
        (await OutcomesAsync(jobs[2])).ShouldBe("created");
        (await ValueAsync(Cases, Guid.Parse(A), "title")).ShouldBe("mine");
    }
}
