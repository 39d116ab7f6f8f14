using ApiJobs.Stores.Tests.Conformance;

[assembly: AssemblyFixture(typeof(SqliteStores))]

namespace ApiJobs.Stores.Tests.Conformance;

public sealed class SqliteAccepting(SqliteStores stores) : AcceptingTests(stores);

public sealed class SqliteAsking(SqliteStores stores) : AskingTests(stores);

public sealed class SqliteChangedJobs(SqliteStores stores) : ChangedJobsTests(stores);
public sealed class SqliteBacklog(SqliteStores stores) : BacklogTests(stores)
{
    protected override string SealedTable => "lanes";
}

public sealed class SqliteClaiming(SqliteStores stores) : ClaimingTests(stores);

public sealed class SqliteConcurrency(SqliteStores stores) : ConcurrencyTests(stores);

public sealed class SqliteCursor(SqliteStores stores) : CursorTests(stores);

public sealed class SqliteDescent(SqliteStores stores) : DescentTests(stores);

public sealed class SqliteEnding(SqliteStores stores) : EndingTests(stores);

public sealed class SqliteErrorGroup(SqliteStores stores) : ErrorGroupTests(stores);

public sealed class SqliteFault(SqliteStores stores) : FaultTests(stores);

public sealed class SqliteGivenUp(SqliteStores stores) : GivenUpTests(stores);

public sealed class SqliteHistory(SqliteStores stores) : HistoryTests(stores);

public sealed class SqliteIsolation(SqliteStores stores) : IsolationTests(stores);

public sealed class SqliteKeyedEnding(SqliteStores stores) : KeyedEndingTests(stores);

public sealed class SqliteLaneFault(SqliteStores stores) : LaneFaultTests(stores);

public sealed class SqliteLease(SqliteStores stores) : LeaseTests(stores);

public sealed class SqliteList(SqliteStores stores) : ListTests(stores);

public sealed class SqliteLog(SqliteStores stores) : LogTests(stores);

public sealed class SqliteMessageApart(SqliteStores stores) : MessageApartTests(stores);

public sealed class SqliteMigration(SqliteStores stores) : MigrationTests(stores);

public sealed class SqliteOrigin(SqliteStores stores) : OriginTests(stores);

public sealed class SqliteOutcome(SqliteStores stores) : OutcomeTests(stores);

public sealed class SqliteReadAhead(SqliteStores stores) : ReadAheadTests(stores);

public sealed class SqliteRehearsalNote(SqliteStores stores) : RehearsalNoteTests(stores);

public sealed class SqliteResourceReading(SqliteStores stores) : ResourceReadingTests(stores);

public sealed class SqliteRetention(SqliteStores stores) : RetentionTests(stores);

public sealed class SqliteRow(SqliteStores stores) : RowTests(stores);

public sealed class SqliteSavepoint(SqliteStores stores) : SavepointTests(stores);

public sealed class SqliteSealing(SqliteStores stores) : SealingTests(stores);

public sealed class SqliteUpload(SqliteStores stores) : UploadTests(stores);
