using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Measuring;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>Every row there is, in the order of the table.</summary>
internal static class AllRows
{
    public static IReadOnlyList<Row> InOrder { get; } =
    [
        new("bulk-update-sqlite", "bulk update of 200,000 cases ÷ a raw loop, SQLite", bench => BulkUpdate.RunAsync(bench, Store.Sqlite)),
        new("bulk-update-postgresql", "bulk update of 200,000 cases ÷ a raw loop, PostgreSQL", bench => BulkUpdate.RunAsync(bench, Store.PostgreSql)),
        new("rehearsal-sqlite", "bulk update of 200,000 cases, rehearsed ÷ done, SQLite", bench => Rehearsal.RunAsync(bench, Store.Sqlite)),
        new("rehearsal-postgresql", "bulk update of 200,000 cases, rehearsed ÷ done, PostgreSQL", bench => Rehearsal.RunAsync(bench, Store.PostgreSql)),
        new("bulk-update-hangfire", "bulk update of 200,000 cases ÷ Hangfire with EF Core and with Dapper", BulkUpdateHangfire.RunAsync),
        new("small-jobs", "one-record jobs ÷ no-op jobs of Hangfire, graphile-worker and pg-boss", SmallJobs.RunAsync),
        new("job-reads-sqlite", "GET api-jobs/{id} ÷ a bare Kestrel endpoint, SQLite", bench => JobReads.RunAsync(bench, Store.Sqlite, goal: 0.70)),
        new("job-reads-postgresql", "GET api-jobs/{id} ÷ a bare Kestrel endpoint, PostgreSQL", bench => JobReads.RunAsync(bench, Store.PostgreSql, goal: 0.50)),
        new("job-list-sqlite", "a page of jobs among ten million ended ones ÷ among a thousand, SQLite", bench => JobList.RunAsync(bench, Store.Sqlite)),
        new("job-list-postgresql", "a page of jobs among ten million ended ones ÷ among a thousand, PostgreSQL", bench => JobList.RunAsync(bench, Store.PostgreSql)),
        new("upload-memory", "peak memory of a 10 GB upload ÷ of a 100 MB upload", UploadMemory.RunAsync),
        new("results-export", "the results of a million records as NDJSON ÷ a bare endpoint streaming the same bytes; memory ÷ of ten thousand", ResultsExport.RunAsync),
        new("ended-jobs-sqlite", "speed with ten million ended jobs ÷ with none, SQLite", bench => EndedJobs.RunAsync(bench, Store.Sqlite)),
        new("ended-jobs-postgresql", "speed with ten million ended jobs ÷ with none, PostgreSQL", bench => EndedJobs.RunAsync(bench, Store.PostgreSql)),
        new("job-size-sqlite", "a job of a million records ÷ of ten thousand, SQLite", bench => JobSize.RunAsync(bench, Store.Sqlite)),
        new("job-size-postgresql", "a job of a million records ÷ of ten thousand, PostgreSQL", bench => JobSize.RunAsync(bench, Store.PostgreSql)),
        new("small-beside-huge-sqlite", "a ten-record job beside a huge one, one worker slot, SQLite", bench => SmallBesideHuge.RunAsync(bench, Store.Sqlite)),
        new("small-beside-huge-postgresql", "a ten-record job beside a huge one, one worker slot, PostgreSQL", bench => SmallBesideHuge.RunAsync(bench, Store.PostgreSql)),
        new("noisy-neighbour-sqlite", "twenty small companies beside a huge one, one worker slot, SQLite", bench => NoisyNeighbour.RunAsync(bench, Store.Sqlite)),
        new("noisy-neighbour-postgresql", "twenty small companies beside a huge one, one worker slot, PostgreSQL", bench => NoisyNeighbour.RunAsync(bench, Store.PostgreSql)),
        new("beside-trouble-sqlite", "a ten-record job beside crashing lanes and a slow operation, one worker slot, SQLite", bench => BesideTrouble.RunAsync(bench, Store.Sqlite)),
        new("beside-trouble-postgresql", "a ten-record job beside crashing lanes and a slow operation, one worker slot, PostgreSQL", bench => BesideTrouble.RunAsync(bench, Store.PostgreSql)),
        new("waiters-sqlite", "5,000 who wait for a job on one node, SQLite", bench => Waiters.RunAsync(bench, Store.Sqlite)),
        new("waiters-postgresql", "5,000 who wait for a job on one node ÷ one who does, PostgreSQL", bench => Waiters.RunAsync(bench, Store.PostgreSql)),
        new("claim-cost", "a claim with a million ended and 100,000 queued jobs ÷ with none, PostgreSQL", ClaimCost.RunAsync),
        new("company-isolation", "bulk update with row-level security ÷ without, PostgreSQL", CompanyIsolation.RunAsync),
        new("nodes", "four worker nodes ÷ one, PostgreSQL", Nodes.RunAsync),
    ];
}
