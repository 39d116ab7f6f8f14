using ApiJobs.PostgreSql;
using ApiJobs.Resources;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>What PostgreSQL's error codes mean to a worker: try again, blame the record, or blame the code.</summary>
public sealed class FaultCodeTests
{
    [Theory]
    [InlineData("40P01", StoreFault.Transient)]
    [InlineData("57P01", StoreFault.Transient)]
    [InlineData("53100", StoreFault.Transient)]
    [InlineData("42501", StoreFault.Deployment)]
    [InlineData("23505", StoreFault.Constraint)]
    [InlineData("22001", StoreFault.Constraint)]
    [InlineData("42601", StoreFault.None)]
    [InlineData("42P01", StoreFault.Deployment)]
    [InlineData("P0001", StoreFault.None)]
    public async Task A_fault_is_known_by_its_code(string state, StoreFault fault)
    {
        await using var store = new PostgreSqlStore(
            new() { ConnectionString = "Host=localhost;Database=nowhere" }, new ResourceCatalog([]), TimeProvider.System,
            NullLogger<PostgreSqlStore>.Instance);

        store.Lanes.Classify(new PostgresException("fault", "ERROR", "ERROR", state)).ShouldBe(fault);
        store.Lanes.Classify(new InvalidOperationException("wrapped", new PostgresException("fault", "ERROR", "ERROR", state))).ShouldBe(fault);
    }
}
