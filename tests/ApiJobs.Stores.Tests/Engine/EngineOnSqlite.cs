using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Engine;

public sealed class SqliteCrashingRecord(SqliteStores stores) : CrashingRecordTests(stores);

public sealed class SqliteIllLane(SqliteStores stores) : IllLaneTests(stores);

public sealed class SqliteJobLog(SqliteStores stores) : JobLogTests(stores);

public sealed class SqliteNode(SqliteStores stores) : NodeTests(stores);

public sealed class SqliteOutcomesOfRecords(SqliteStores stores) : OutcomesOfRecordsTests(stores);

public sealed class SqliteProcessing(SqliteStores stores) : ProcessingTests(stores);

public sealed class SqliteRehearsal(SqliteStores stores) : RehearsalTests(stores);

public sealed class SqliteSlowRecord(SqliteStores stores) : SlowRecordTests(stores);

public sealed class SqliteCancel(SqliteStores stores) : CancelTests(stores);

public sealed class SqliteGoingOn(SqliteStores stores) : GoingOnTests(stores);

public sealed class SqliteMaxFailed(SqliteStores stores) : MaxFailedTests(stores);
public sealed class SqliteWaiting(SqliteStores stores) : WaitingTests(stores);
