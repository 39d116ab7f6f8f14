using System.Globalization;
using System.Text;
using ApiJobs.Admission;
using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Processing;
using ApiJobs.Resources;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Conformance;
using ApiJobs.Waiting;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>Whatever the request and the rows: a rehearsal tells what the real run then does, and changes nothing.</summary>
/// <remarks>
/// A failing case prints its seed; <c>CsCheck_Seed</c> runs it again, and <c>CsCheck_Iter</c> runs more of them. Each is a company of its own, with a
/// few rows and fewer values, so that its records meet each other: in their chunk, in their group, and in those before.
/// </remarks>
public abstract class RehearsalPropertyTests(StoreFixture stores, int cases) : IAsyncLifetime
{
    private static readonly Resource Things = new("thing", "Thing", "things",
    [
        Field.Text("code", maxLength: 5) with { IsUnique = true },
        Field.Text("alias", maxLength: 5) with { IsUnique = true },
        Field.Map("meta", maxMembers: 2),
        Field.Text("notes", maxLength: 50),
        Field.Text("title", maxLength: 20) with { IsRequired = true },
        Field.Uuid("parent_id") with { References = "thing" },
        Field.Uuid("owner_id") with { References = "owner" },
        Field.Integer("amount"),
        Field.Date("day"),
    ]);

    private static readonly Resource Owners = new("owner", "Owner", "owners", [Field.Text("name", maxLength: 20)]);

    private static readonly ResourceCatalog Catalog = new([Things, Owners]);

    private static readonly string[] Ids = [.. Enumerable.Range(1, 6).Select(number => $"00000000-0000-7000-8000-00000000000{number}")];

    private static readonly Gen<string> Record = Gen.Select(
        Member("id", 1, [.. Ids, .. Ids, "x"]),
        Member("code", 3, "A", "B", "C", "too long", null),
        Member("alias", 4, "A", "B", "C", null),
        Gen.OneOf("", "", "", "", """ "meta":{"k":"1"} """, """ "meta":{"k":null} """, """ "meta":{"l":"2","m":"3"} """, """ "meta":null """),
        Gen.Select(Member("notes", 1, "n", "m", "", null), Member("title", 1, "t", "u", null), Member("amount", 3, "1", "2", "x"), Member("day", 3, "2024-02-29", "2023-02-29")),
        Member("parent_id", 3, [.. Ids, null]),
        Member("owner_id", 4, [Ids[0], Ids[1], null]),
        (id, code, alias, meta, others, parent, owner) =>
            $"{{{string.Join(',', new[] { id, code, alias, meta, others.Item1, others.Item2, others.Item3, others.Item4, parent, owner }.Where(member => member.Length > 0))}}}");

    // Fields that no rule looks at: updates of these alone go another way (DirectUpdate).
    private static readonly Gen<string> PlainRecord = Gen.Select(
        Gen.OneOf(Ids), Gen.OneOf("n", "m", ""), Member("amount", 1, "1", "2", null),
        (id, notes, amount) => $$"""{"id":"{{id}}","notes":"{{notes}}"{{(amount.Length > 0 ? "," : "")}}{{amount}}}""");

    private static readonly Gen<Case> Cases = Gen.Select(
        Gen.OneOf(Record, Record, PlainRecord.Select(record => record.Replace("{", "{\"title\":\"t\",", StringComparison.Ordinal))).Array[0, 8],
        Gen.OneOf(Enum.GetValues<ResourceVerb>()), Gen.OneOf(null, "code", "alias"),
        Gen.OneOf(Record.Array[1, 25], PlainRecord.Array[1, 25]),
        Gen.Int[1, 5], Gen.Int[1, 30].Array[1, 6], Gen.Select(Gen.OneOf<int?>(null, 0, 1), Gen.Bool, Gen.OneOf(900, 1500, 65536)),
        (rows, verb, key, records, chunkRecords, groups, how) =>
            new Case(rows, verb, verb == ResourceVerb.Upsert ? key : null, records, chunkRecords, groups, how.Item1, how.Item2, how.Item3));

    private readonly OperationCatalog _operations = new(
        from resource in Catalog.All from verb in Enum.GetValues<ResourceVerb>() select (BulkOperation)new ResourceOperation(resource, verb, Catalog));

    private StoreDatabase? _database;
    private StoreNode? _node;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private StoreNode Store => _node!;

    public async ValueTask InitializeAsync()
    {
        _database = await stores.CreateDatabaseAsync();
        _node = await _database.OpenAsync(Catalog, Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        if (_database is not null)
            await _database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_rehearsal_tells_what_the_real_run_does_and_changes_nothing()
    {
        await Cases.SampleAsync(CheckAsync, iter: cases, threads: 2);

        while (await Store.Store.SweepRehearsalsAsync(Cancel))
        {
        }

        var left = await _database!.CountRowsAsync();
        (left["rehearsals"], left["rehearsal_notes"]).ShouldBe((0, 0));
    }

    private async Task CheckAsync(Case it)
    {
        var company = Guid.CreateVersion7();
        var owners = await SendAsync(company, it, Owners, ResourceVerb.Create, JobOptions.None, [$$"""{"id":"{{Ids[0]}}"}"""]);
        var rows = await SendAsync(company, it, Things, ResourceVerb.Create, JobOptions.None, it.Rows);
        await ApplyAsync(it, owners, rows);
        var before = await RowsAsync(company);

        var options = new JobOptions { KeyField = it.Key };
        var rehearsals = new List<ApiJob>();
        for (var number = 0; number < 2; number++)
            rehearsals.Add((await SendAsync(company, it, Things, it.Verb, options with { DryRun = true }, it.Records))!);
        if (!it.AllTogether)
        {
            await ApplyAsync(it, [.. rehearsals]);
            (await RowsAsync(company)).ShouldBe(before);
            rehearsals.RemoveAt(0);
        }

        // Together, chunks of both rehearsals and of the real run share transactions.
        var real = (await SendAsync(company, it, Things, it.Verb, options, it.Records))!;
        await ApplyAsync(it, it.AllTogether ? [.. rehearsals, real] : [real]);

        var expected = await TellAsync(real);
        foreach (var rehearsal in rehearsals)
            (await TellAsync(rehearsal)).ShouldBe(expected);
    }

    private async Task<ApiJob?> SendAsync(Guid company, Case it, Resource resource, ResourceVerb verb, JobOptions options, string[] records)
    {
        if (records.Length == 0)
            return null;
        var operation = _operations.Find($"{resource.Name}_bulk_{verb.ToString().ToLowerInvariant()}")!;
        using var engine = Engine(new() { ChunkRecords = it.ChunkRecords });
        using var body = new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', records)));
        await using var reader = new NdjsonRecordReader(body, new IntakeOptions());
        return await engine.AcceptAsync(new(company, operation, options), reader, Cancel);
    }

    /// <summary>Applies jobs that wait one after the other, in groups of the case's sizes; some of these in halves, as after a fault.</summary>
    private async Task ApplyAsync(Case it, params ApiJob?[] jobs)
    {
        var lease = new LaneLease(jobs[0]!.CompanyId, "", Guid.CreateVersion7());
        var time = TimeProvider.System;
        var node = new WorkerNode(Store.Store, _operations, new(), new(), Watch(), new(time, NullLogger.Instance), time, NullLogger.Instance);
        var chunks = await Store.Store.ReadAheadAsync(lease, null, int.MaxValue, Cancel);
        chunks.Count.ShouldBe(jobs.Sum(job => job?.ChunkCount ?? 0));
        var (message, tally) = (new JobMessageWriter(it.MessageBytes), new FailureTally());
        for (int group = 0, next = 0; next < chunks.Count; group++)
        {
            PendingChunk[] some = [.. chunks.Skip(next).Take(it.Groups[group % it.Groups.Length])];
            var prepared = ChunkGroup.Prepare(some, [.. some.Select(chunk => _operations.Find(chunk.Job.Type)!)], NullLogger.Instance);
            var isolate = group % 2 == it.IsolatedGroups;
            if (isolate)
                node.Suspects.Note([.. prepared.AllRecords]);
            (await Store.Store.ApplyAsync(lease, some, new ChunkApplier(prepared, message, tally, node, isolate, []).ApplyAsync, Cancel)).ShouldNotBeEmpty();
            next += some.Length;
        }
    }

    /// <summary>All that its caller gets to know of an ended job, as text; but for the ids that the engine makes, which are each job's own.</summary>
    private async Task<string> TellAsync(ApiJob job)
    {
        var now = (await Store.Store.FindJobAsync(job.CompanyId, job.Id, Cancel))!;
        using var engine = Engine(new());
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{now.Status} {now.Counts} {now.MessageEntryCount}\n");
        await foreach (var result in engine.ReadRecordsAsync(now, 0, Cancel))
            text.AppendLine(CultureInfo.InvariantCulture, $"{result.Index} {result.Key} {result.Outcome} {string.Join("; ", result.Errors)}");
        text.Append(JobMessageText.Render(now, await engine.ReadMessageAsync(now, Cancel), "url"));
        for (var index = 0; index < now.TotalRecords; index++)
            text.Replace(MadeIds.Make(job.Id, index).ToString(), $"made for {index}");
        return text.ToString();
    }

    private async Task<IReadOnlyList<string>> RowsAsync(Guid company) =>
        [.. (await Store.Rows.ListRowsAsync(Things, company, new() { Limit = 1_000 }, Cancel))
            .Select(row => $"{row.Id} {string.Join('|', row.Values)} {row.CreatedAt:O} {row.UpdatedAt:O}")];

    private JobWatch Watch() => new(Store.Store, Options.Create(new WaitOptions()), TimeProvider.System, NullLogger<JobWatch>.Instance);

    private ApiJobEngine Engine(IntakeOptions intake) =>
        new(Store.Store, _operations, Options.Create(intake), Options.Create(new AdmissionOptions()), new(), Watch(), TimeProvider.System, NullLogger<ApiJobEngine>.Instance);

    /// <summary>A member with one of some values, or in as many cases as there are values times <paramref name="absence"/>, none.</summary>
    private static Gen<string> Member(string name, int absence, params string?[] values) => Gen.OneOf(
    [
        .. Enumerable.Repeat("", absence * values.Length / 2),
        .. values.Select(value => value is null ? $"\"{name}\":null" : $"\"{name}\":{(name == "amount" && value != "x" ? value : $"\"{value}\"")}"),
    ]);

    /// <summary>Rows, and what is done with them.</summary>
    private sealed record Case(
        string[] Rows, ResourceVerb Verb, string? Key, string[] Records, int ChunkRecords, int[] Groups, int? IsolatedGroups, bool AllTogether, int MessageBytes)
    {
        public override string ToString() =>
            $"{Verb} by {Key ?? "id"} of\n{string.Join('\n', Records)}\non\n{string.Join('\n', Rows)}\nin chunks of {ChunkRecords}, groups of {string.Join(',', Groups)}, isolated {IsolatedGroups}, together {AllTogether}";
    }
}

public sealed class SqliteRehearsalProperty(SqliteStores stores) : RehearsalPropertyTests(stores, cases: 2_000);

public sealed class PostgreSqlRehearsalProperty(PostgreSqlStores stores) : RehearsalPropertyTests(stores, cases: 1_000);
