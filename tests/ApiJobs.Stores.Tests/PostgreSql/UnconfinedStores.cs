using ApiJobs.PostgreSql;
using ApiJobs.Stores.Tests.Conformance;
using ApiJobs.Stores.Tests.Engine;

[assembly: AssemblyFixture(typeof(ApiJobs.Stores.Tests.PostgreSql.UnconfinedStores))]

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>PostgreSQL stores without row-level security, which hides what a statement that forgot its company does.</summary>
public sealed class UnconfinedStores : PostgreSqlStores
{
    protected override void Configure(PostgreSqlStoreOptions options) => options.CompanyIsolation = false;
}

public sealed class UnconfinedIsolation(UnconfinedStores stores) : IsolationTests(stores);

public sealed class UnconfinedRow(UnconfinedStores stores) : RowTests(stores);

public sealed class UnconfinedCursor(UnconfinedStores stores) : CursorTests(stores);

public sealed class UnconfinedEnding(UnconfinedStores stores) : EndingTests(stores);

public sealed class UnconfinedSealing(UnconfinedStores stores) : SealingTests(stores);

public sealed class UnconfinedOutcome(UnconfinedStores stores) : OutcomeTests(stores);

public sealed class UnconfinedRetention(UnconfinedStores stores) : RetentionTests(stores);

public sealed class UnconfinedOutcomesOfRecords(UnconfinedStores stores) : OutcomesOfRecordsTests(stores);
