using System.Reflection;
using System.Text.RegularExpressions;
using ApiJobs.PostgreSql.Resources;
using ApiJobs.PostgreSql.Schema;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Resources;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>What lets a site spread its companies over servers: docs/internals/spreading.md.</summary>
public sealed partial class PostgreSqlSpreadingTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    // They stay on one server: the claim looks at all companies.
    private static readonly string[] Local = ["lanes", "lane_tails"];

    // Reads only, and may be asked of every server.
    private static readonly string[] Sweeps = ["ReadIdleUploadsSql", "ReadRehearsalsSql"];

    private static readonly string[] Spread =
        [.. OwnTables.All.Select(table => table.Name).Except([.. Local, OwnTables.Journal]), Notes.Name];

    /// <summary>The statements of accepting, asking, applying, keeping, lanes and resources, by name.</summary>
    public static TheoryData<string, string> Statements => new(OwnStatements().Concat(StatementsOfResources()));

    [Fact]
    public void There_is_something_to_check() => OwnStatements().Count().ShouldBeGreaterThan(25);

    [Theory]
    [MemberData(nameof(Statements))]
    public void A_statement_names_its_company_wherever_it_names_a_table(string name, string sql)
    {
        var tables = Mentions().Matches(sql).Select(mention => (Verb: mention.Groups[1].Value, Table: mention.Groups[2].Value)).ToArray();
        if (Sweeps.Contains(name) || !tables.Any(mention => Spread.Contains(mention.Table)))
            return;

        tables = [.. tables.Where(mention => Spread.Contains(mention.Table) || Local.Contains(mention.Table))];
        Insertions().Count(sql).ShouldBe(tables.Count(mention => mention.Verb == "INTO"), sql);
        Conditions().Count(sql).ShouldBeGreaterThanOrEqualTo(tables.Count(mention => mention.Verb != "INTO"), sql);
    }

    [Theory]
    [MemberData(nameof(Statements))]
    public void A_statement_that_changes_rows_gives_the_same_on_every_server(string name, string sql)
    {
        name.ShouldNotBeEmpty();
        if (Changes().IsMatch(sql))
            Volatile().IsMatch(sql).ShouldBeFalse(sql);
    }

    [Fact]
    public async Task Every_unique_key_holds_the_company() =>
        (await QueryAsync<string[]>($"""
            SELECT COALESCE(array_agg(c.relname || ': ' || i.indexrelid::regclass::text), ARRAY[]::text[])
            FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
            WHERE i.indisunique AND c.relnamespace = current_schema()::regnamespace AND c.relname <> '{OwnTables.Journal}'
              AND NOT EXISTS (
                SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey) AND a.attname = 'company_id')
            """)).ShouldBeEmpty();

    [Fact]
    public async Task What_arrives_together_is_written_in_one_transaction_a_company()
    {
        var companies = Enumerable.Range(0, 10).Select(_ => Guid.CreateVersion7()).ToArray();
        await Task.WhenAll(Enumerable.Range(0, 200).Select(number => SealAsync(companies[number % companies.Length])));

        (await QueryAsync<long>("SELECT max(companies) FROM (SELECT count(DISTINCT company_id) AS companies FROM jobs GROUP BY xmin::text) t")).ShouldBe(1);
    }

    private static IEnumerable<(string Name, string Sql)> OwnStatements() =>
        from type in typeof(Sql).Assembly.GetTypes()
        where type.Namespace is { } space && space.StartsWith("ApiJobs.PostgreSql.", StringComparison.Ordinal)
            && !space.EndsWith(".Schema", StringComparison.Ordinal) && !space.EndsWith(".Session", StringComparison.Ordinal)
        from field in type.GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
        where field.Name.EndsWith("Sql", StringComparison.Ordinal) && field.FieldType == typeof(string)
        select (field.Name, (string)field.GetValue(null)!);

    private static IEnumerable<(string Name, string Sql)> StatementsOfResources()
    {
        var table = new PostgreSqlTable(Notes);
        var company = Guid.CreateVersion7();
        var row = new ResourceRow(company, ["r", null, null, null, null, null], default, default);
        RowWrite[] sameFields = [new(row, IsNew: false, 1), new(row, IsNew: true, 0)];
        RowWrite[] manySets = [.. Enumerable.Range(0, Notes.Fields.Count).Select(field => new RowWrite(row, IsNew: false, 1UL << field))];
        return
        [
            ("load", table.Load(company, [company], Notes.AllFields).CommandText),
            ("find by unique", table.FindByUnique(company, Notes.Fields[0], ["r"]).CommandText),
            ("list", table.List(company, new ResourceQuery { Limit = 1, Equal = [(Notes.Fields[0], "r")], UpdatedAfter = default(DateTimeOffset) })!.CommandText),
            .. new[] { sameFields, manySets }.SelectMany(rows => table.Write(company, rows).Concat(table.UpdateDiffering(company, rows)))
                .Select((statement, number) => ($"write {number}", statement.CommandText)),
        ];
    }

    [GeneratedRegex("""\b(FROM|JOIN|UPDATE|INTO|USING)\s+"?([a-z_]+)\b""")]
    private static partial Regex Mentions();

    // Directly, or by a column of the join that is the parameter.
    [GeneratedRegex("""\bcompany_id = (\$1\b|[a-z]\.company_id\b)""")]
    private static partial Regex Conditions();

    [GeneratedRegex("""INTO\s+"?[a-z_]+"?\s+(AS [a-z]+\s+)?\(\s*company_id,[^)]*\)\s*SELECT (DISTINCT )?\$1\b""")]
    private static partial Regex Insertions();

    [GeneratedRegex("""\b(UPDATE|DELETE)\b(?! SKIP)""")]
    private static partial Regex Changes();

    [GeneratedRegex("""clock_timestamp|timeofday|random|uuidv?\d*\(|gen_random|nextval|setval|pg_advisory""", RegexOptions.IgnoreCase)]
    private static partial Regex Volatile();
}
