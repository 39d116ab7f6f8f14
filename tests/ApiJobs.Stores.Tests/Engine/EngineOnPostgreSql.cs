using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Engine;

public sealed class PostgreSqlCrashingRecord(PostgreSqlStores stores) : CrashingRecordTests(stores);

public sealed class PostgreSqlIllLane(PostgreSqlStores stores) : IllLaneTests(stores);

public sealed class PostgreSqlJobLog(PostgreSqlStores stores) : JobLogTests(stores);

public sealed class PostgreSqlNode(PostgreSqlStores stores) : NodeTests(stores);

public sealed class PostgreSqlOutcomesOfRecords(PostgreSqlStores stores) : OutcomesOfRecordsTests(stores);

public sealed class PostgreSqlProcessing(PostgreSqlStores stores) : ProcessingTests(stores);

public sealed class PostgreSqlSlowRecord(PostgreSqlStores stores) : SlowRecordTests(stores);
