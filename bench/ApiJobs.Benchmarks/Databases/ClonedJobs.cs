namespace ApiJobs.Benchmarks.Databases;

/// <summary>Fills a store with millions of jobs, by copying the rows of one that the engine itself has made.</summary>
/// <remarks>
/// Sending ten million jobs over HTTP would take hours. A copy has the same columns as its model, whatever they are,
/// but for its id, its company and its place in the lane. The jobs lie in many companies, the model's among them, in the order
/// of their ids, as they would if they had come one after another.
/// </remarks>
/// <param name="database">The store; no server may be working on the model's lane meanwhile.</param>
/// <param name="companyId">The model's company.</param>
/// <param name="jobId">The model.</param>
/// <param name="firstCompany">Where the numbers of the other companies begin, which are their ids: copies of different models need different ones.</param>
internal sealed class ClonedJobs(Database database, Guid companyId, Guid jobId, int firstCompany = 1)
{
    private const int JobsPerTransaction = 100_000;

    // Far before the model's own time, so that copies never meet real ids.
    private const long FirstIdMilliseconds = 1_600_000_000_000;

    /// <summary>Copies an ended job: its row, where lists find it, its chunks and their results.</summary>
    /// <remarks>Places count down from the lane's first one: they are behind the work there is and ever will be.</remarks>
    public async Task AddEndedAsync(long count, int companies, CancellationToken cancellationToken)
    {
        await AddLanesAsync(companies, new Dictionary<string, string>(), cancellationToken);
        foreach (var table in (string[])["jobs", "job_marks", "chunks", "chunk_results"])
            await AddAsync(table, count, count / companies, place: "-n", cancellationToken);
    }

    /// <summary>Copies a pending job, the first of its lane: its row and its chunks, and the lanes with the work in them.</summary>
    public async Task AddPendingAsync(long count, int companies, CancellationToken cancellationToken)
    {
        var perCompany = count / companies;
        await AddLanesAsync(companies, new Dictionary<string, string> { ["next_position"] = $"{perCompany + 2}" }, cancellationToken);
        foreach (var table in (string[])["jobs", "job_marks", "chunks"])
            await AddAsync(table, count, perCompany, place: $"2 + n % {perCompany}", cancellationToken);
        var tails = await database.ColumnsAsync("lane_tails", cancellationToken);
        if (tails.Count > 0)
            await database.ExecuteAsync($"UPDATE lane_tails SET next_position = {perCompany + 2} WHERE company_id = {Literal(companyId)}", cancellationToken);
    }

    private async Task AddLanesAsync(int companies, IReadOnlyDictionary<string, string> values, CancellationToken cancellationToken)
    {
        foreach (var table in (string[])["lanes", "lane_tails"])
        {
            var columns = await database.ColumnsAsync(table, cancellationToken);
            if (columns.Count == 0)
                continue;
            var expressions = columns.Select(column => column == "company_id" ? Company("n") : values.GetValueOrDefault(column, $"t.{column}"));
            // Company 0 is the model's, which has its lane.
            await database.ExecuteAsync(
                $"""
                {Numbers(1, companies - 1)}
                INSERT INTO {table} ({string.Join(", ", columns)})
                SELECT {string.Join(", ", expressions)} FROM {table} t CROSS JOIN numbers WHERE t.company_id = {Literal(companyId)}
                """,
                cancellationToken);
        }
    }

    private async Task AddAsync(string table, long count, long perCompany, string place, CancellationToken cancellationToken)
    {
        var key = table == "jobs" ? "id" : "job_id";
        var columns = await database.ColumnsAsync(table, cancellationToken);
        var expressions = columns.Select(column => column switch
        {
            "company_id" => Company($"n / {perCompany}"),
            "position" => place,
            _ when column == key => Id(),
            _ => $"t.{column}",
        });
        for (var first = 0L; first < count; first += JobsPerTransaction)
        {
            await database.ExecuteAsync(
                $"""
                {Numbers(first, Math.Min(first + JobsPerTransaction, count) - 1)}
                INSERT INTO {table} ({string.Join(", ", columns)})
                SELECT {string.Join(", ", expressions)} FROM {table} t CROSS JOIN numbers
                WHERE t.company_id = {Literal(companyId)} AND t.{key} = {Literal(jobId)}
                """,
                cancellationToken);
        }
    }

    // Each model's copies have ids of their own.
    private long FirstId => FirstIdMilliseconds + (firstCompany * 10_000_000L);

    private bool IsSqlite => database.Store == Store.Sqlite;

    private string Numbers(long first, long last) => IsSqlite
        ? $"WITH RECURSIVE numbers(n) AS (SELECT {first} WHERE {first} <= {last} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})"
        : $"WITH numbers AS (SELECT n FROM generate_series({first}::bigint, {last}::bigint) n)";

    private string Id() => IsSqlite
        ? $"unhex(printf('%012x70008%015x', {FirstId} + n, n))"
        : $"(lpad(to_hex({FirstId} + n), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid";

    // Company 0 is the model's own; the others have ids that count up.
    private string Company(string number) => IsSqlite
        ? $"CASE {number} WHEN 0 THEN {Literal(companyId)} ELSE unhex(printf('%032x', {firstCompany} + {number})) END"
        : $"CASE {number} WHEN 0 THEN {Literal(companyId)} ELSE lpad(to_hex({firstCompany} + {number}), 32, '0')::uuid END";

    private string Literal(Guid id) => IsSqlite ? $"x'{id:N}'" : $"'{id:D}'::uuid";
}
