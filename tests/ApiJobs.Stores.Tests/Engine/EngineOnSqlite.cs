using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Engine;

public sealed class SqliteOutcomesOfRecords(SqliteStores stores) : OutcomesOfRecordsTests(stores);

public sealed class SqliteProcessing(SqliteStores stores) : ProcessingTests(stores);
