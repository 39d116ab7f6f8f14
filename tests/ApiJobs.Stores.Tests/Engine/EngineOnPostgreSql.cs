using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Engine;

public sealed class PostgreSqlOutcomesOfRecords(PostgreSqlStores stores) : OutcomesOfRecordsTests(stores);

public sealed class PostgreSqlProcessing(PostgreSqlStores stores) : ProcessingTests(stores);
