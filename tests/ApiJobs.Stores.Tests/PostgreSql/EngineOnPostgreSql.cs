using ApiJobs.Stores.Tests.Conformance;
using ApiJobs.Stores.Tests.Engine;

namespace ApiJobs.Stores.Tests.PostgreSql;

public sealed class PostgreSqlOutcomesOfRecords(PostgreSqlStores stores) : OutcomesOfRecordsTests(stores);

public sealed class PostgreSqlProcessing(PostgreSqlStores stores) : ProcessingTests(stores);
