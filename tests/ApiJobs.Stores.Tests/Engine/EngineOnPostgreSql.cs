using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Engine;

public sealed class PostgreSqlCrashingRecord(PostgreSqlStores stores) : CrashingRecordTests(stores);

public sealed class PostgreSqlIllLane(PostgreSqlStores stores) : IllLaneTests(stores);

public sealed class PostgreSqlJobLog(PostgreSqlStores stores) : JobLogTests(stores);

public sealed class PostgreSqlNode(PostgreSqlStores stores) : NodeTests(stores);

public sealed class PostgreSqlOutcomesOfRecords(PostgreSqlStores stores) : OutcomesOfRecordsTests(stores);

public sealed class PostgreSqlProcessing(PostgreSqlStores stores) : ProcessingTests(stores);

public sealed class PostgreSqlRehearsal(PostgreSqlStores stores) : RehearsalTests(stores);

public sealed class PostgreSqlSlowRecord(PostgreSqlStores stores) : SlowRecordTests(stores);

public sealed class PostgreSqlCancel(PostgreSqlStores stores) : CancelTests(stores);

public sealed class PostgreSqlGoingOn(PostgreSqlStores stores) : GoingOnTests(stores);

public sealed class PostgreSqlMaxFailed(PostgreSqlStores stores) : MaxFailedTests(stores);
public sealed class PostgreSqlWaiting(PostgreSqlStores stores) : WaitingTests(stores);
