using System.Globalization;
using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Stores.Tests.Broken;
using ApiJobs.Stores.Tests.Engine;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>Two nodes behind one pooler, which has fewer connections than they have callers and workers.</summary>
public sealed class PgBouncerNodesTests(PgBouncerStores stores) : EngineTests(stores)
{
    private const int Companies = 6, JobsPerCompany = 4, RecordsPerJob = 45;

    [Fact]
    public async Task Jobs_that_many_companies_send_to_two_nodes_are_applied_once_and_in_order()
    {
        WorkerOptions.Slots = 4;
        var other = await Database.OpenAsync(Catalog, Cancel);
        IWholeStore[] nodes = [Store, other.Store];
        var companies = Enumerable.Range(0, Companies).Select(_ => Guid.CreateVersion7()).ToArray();
        // The same case of each company is written by all of its jobs; the other cases are new, and twice as many if one is made twice.
        var shared = Guid.CreateVersion7();

        var accepting = Task.WhenAll(
            from company in companies
            from number in Enumerable.Range(0, JobsPerCompany)
            select Task.Run(
                () => SendAsync(company, "customer_case_bulk_upsert", JobOptions.None, Records(shared, number), nodes[number % nodes.Length]), Cancel));
        var jobs = await accepting;
        var ended = (await Task.WhenAll(nodes.Select(node => RunToEndAsync(node, jobs))))[0];

        ended.ShouldAllBe(job => job.Status == ApiJobStatus.Completed && job.Counts.Effected == RecordsPerJob);
        foreach (var company in companies)
        {
            var own = ended.Where(job => job.CompanyId == company).OrderBy(job => job.Position).ToArray();
            own.Select(job => job.Position).ShouldBe([1, 2, 3, 4]);
            own.Sum(job => job.Counts.Updated).ShouldBe((JobsPerCompany * RecordsPerJob / 3) - 1);
            var rows = await Rows.ListRowsAsync(Cases, company, new() { Limit = 1_000 }, Cancel);
            rows.Count.ShouldBe((JobsPerCompany * RecordsPerJob * 2 / 3) + 1);
            // The last job of the lane had the last word.
            var last = (await ResultsAsync(own[^1])).Where(result => result.Outcome == RecordOutcome.Created).Select(result => Guid.Parse(result.Key!)).ToHashSet();
            var title = rows.First(row => last.Contains(row.Id)).Values[Cases.IndexOf("title")]!;
            rows.Single(row => row.Id == shared).Values[Cases.IndexOf("title")].ShouldBe($"{title.Split('.')[0]}.{RecordsPerJob - 1}");
        }
    }

    // Every third record, the last among them, is of the shared case.
    private static string[] Records(Guid shared, int number) =>
    [
        .. from index in Enumerable.Range(0, RecordsPerJob)
           let title = string.Create(CultureInfo.InvariantCulture, $"{number}.{index}")
           let id = index % 3 == 2 ? shared : Guid.CreateVersion7()
           select $$"""{"id":"{{id}}","title":"{{title}}"}""",
    ];
}
