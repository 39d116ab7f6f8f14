using ApiJobs.Stores.Tests.Conformance;

[assembly: AssemblyFixture(typeof(PostgreSqlStores))]

namespace ApiJobs.Stores.Tests.Conformance;

public sealed class PostgreSqlAccepting(PostgreSqlStores stores) : AcceptingTests(stores);

public sealed class PostgreSqlAsking(PostgreSqlStores stores) : AskingTests(stores);

public sealed class PostgreSqlChangedJobs(PostgreSqlStores stores) : ChangedJobsTests(stores);
public sealed class PostgreSqlBacklog(PostgreSqlStores stores) : BacklogTests(stores)
{
    protected override string SealedTable => "lane_tails";
}

public sealed class PostgreSqlClaiming(PostgreSqlStores stores) : ClaimingTests(stores);

public sealed class PostgreSqlConcurrency(PostgreSqlStores stores) : ConcurrencyTests(stores);

public sealed class PostgreSqlCursor(PostgreSqlStores stores) : CursorTests(stores);

public sealed class PostgreSqlDescent(PostgreSqlStores stores) : DescentTests(stores);

public sealed class PostgreSqlEnding(PostgreSqlStores stores) : EndingTests(stores);

public sealed class PostgreSqlErrorGroup(PostgreSqlStores stores) : ErrorGroupTests(stores);

public sealed class PostgreSqlFault(PostgreSqlStores stores) : FaultTests(stores);

public sealed class PostgreSqlGivenUp(PostgreSqlStores stores) : GivenUpTests(stores);

public sealed class PostgreSqlHistory(PostgreSqlStores stores) : HistoryTests(stores);

public sealed class PostgreSqlIsolation(PostgreSqlStores stores) : IsolationTests(stores);

public sealed class PostgreSqlKeyedEnding(PostgreSqlStores stores) : KeyedEndingTests(stores);

public sealed class PostgreSqlLaneFault(PostgreSqlStores stores) : LaneFaultTests(stores);

public sealed class PostgreSqlLease(PostgreSqlStores stores) : LeaseTests(stores);

public sealed class PostgreSqlList(PostgreSqlStores stores) : ListTests(stores);

public sealed class PostgreSqlLog(PostgreSqlStores stores) : LogTests(stores);

public sealed class PostgreSqlMessageApart(PostgreSqlStores stores) : MessageApartTests(stores);

public sealed class PostgreSqlMigration(PostgreSqlStores stores) : MigrationTests(stores);

public sealed class PostgreSqlOrigin(PostgreSqlStores stores) : OriginTests(stores);

public sealed class PostgreSqlOutcome(PostgreSqlStores stores) : OutcomeTests(stores);

public sealed class PostgreSqlReadAhead(PostgreSqlStores stores) : ReadAheadTests(stores);

public sealed class PostgreSqlRehearsalNote(PostgreSqlStores stores) : RehearsalNoteTests(stores);

public sealed class PostgreSqlResourceReading(PostgreSqlStores stores) : ResourceReadingTests(stores);

public sealed class PostgreSqlRetention(PostgreSqlStores stores) : RetentionTests(stores);

public sealed class PostgreSqlRow(PostgreSqlStores stores) : RowTests(stores);

public sealed class PostgreSqlSavepoint(PostgreSqlStores stores) : SavepointTests(stores);

public sealed class PostgreSqlSealing(PostgreSqlStores stores) : SealingTests(stores);

public sealed class PostgreSqlUpload(PostgreSqlStores stores) : UploadTests(stores);
