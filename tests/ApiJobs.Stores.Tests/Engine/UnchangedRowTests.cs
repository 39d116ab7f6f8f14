using ApiJobs.Jobs;
using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>A record that changes nothing leaves its row as it was, to the time of its last change: nobody who asks for what changed is told of it.</summary>
public abstract class UnchangedRowTests(StoreFixture stores) : EngineTests(stores)
{
    private static readonly Guid Id = new("00000000-0000-7000-8000-00000000000a");

    [Theory]
    [InlineData("customer_case_bulk_update", """{"id":"$","notes":"n"}""")]
    [InlineData("customer_case_bulk_update", """{"id":"$","ref":"RA"}""")]
    [InlineData("customer_case_bulk_update", """{"id":"$","meta":{"k":"1","gone":null}}""")]
    [InlineData("customer_case_bulk_update", """{"id":"$"}""")]
    [InlineData("customer_case_bulk_upsert", """{"id":"$","ref":"RA","notes":"n","title":"t","meta":{"k":"1"}}""")]
    [InlineData("customer_case_bulk_upsert", """{"ref":"RA","title":"t"}""")]
    public async Task A_record_that_changes_nothing_does_not_touch_its_row(string type, string record)
    {
        await RunAsync("customer_case_bulk_create", $$$"""{"id":"{{{Id}}}","ref":"RA","notes":"n","title":"t","meta":{"k":"1"}}""");
        var before = (await Rows.FindRowAsync(Cases, Company, Id, Cancel)).ShouldNotBeNull();
        Database.Clock.Advance(TimeSpan.FromSeconds(1));

        var options = record.Contains("\"id\"", StringComparison.Ordinal) ? JobOptions.None : new JobOptions { KeyField = "ref" };
        var job = await SendAsync(Company, type, options,
            [record.Replace("$", Id.ToString(), StringComparison.Ordinal), record.Replace("$", Id.ToString(), StringComparison.Ordinal)]);
        var ended = (await RunToEndAsync(Store, job))[0];

        ended.Counts.ShouldBe(new OutcomeCounts(0, 0, 2, 0));
        var after = (await Rows.FindRowAsync(Cases, Company, Id, Cancel)).ShouldNotBeNull();
        (after.CreatedAt, after.UpdatedAt).ShouldBe((before.CreatedAt, before.UpdatedAt));
        after.Values.ShouldBe(before.Values);
        (await Rows.ListRowsAsync(Cases, Company, new() { Limit = 10, UpdatedAfter = before.UpdatedAt + TimeSpan.FromTicks(10) }, Cancel)).ShouldBeEmpty();
    }
}

public sealed class UnchangedRowsOnSqlite(SqliteStores stores) : UnchangedRowTests(stores);

public sealed class UnchangedRowsOnPostgreSql(PostgreSqlStores stores) : UnchangedRowTests(stores);
