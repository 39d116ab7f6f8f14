using System.Data.Common;
using ApiJobs.Storage;
using static ApiJobs.Stores.Tests.Conformance.TestResources;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>What the worker is told about an exception: whose fault it is, and so whether to try again.</summary>
public abstract class FaultTests(StoreFixture stores) : StoreTests(stores)
{
    [Fact]
    public async Task A_second_row_with_a_unique_value_breaks_a_constraint()
    {
        await InsertAsync(Company, Row(Guid.CreateVersion7(), Now, ("ref", "taken")));

        var fault = await CatchAsync(transaction => transaction.WriteRowsAsync(Sample, Company,
            [new(Row(Guid.CreateVersion7(), Now, ("ref", "taken")), IsNew: true, 0)], Cancel));

        fault.ShouldBeAssignableTo<DbException>();
        Store.Classify(fault).ShouldBe(StoreFault.Constraint);
    }

    [Fact]
    public async Task An_update_to_a_unique_value_of_another_row_breaks_a_constraint()
    {
        var id = Guid.CreateVersion7();
        await InsertAsync(Company, Row(Guid.CreateVersion7(), Now, ("ref", "taken")), Row(id, Now, ("ref", "free")));

        var fault = await CatchAsync(transaction => transaction.WriteRowsAsync(Sample, Company,
            [new(Row(id, Now, ("ref", "taken")), IsNew: false, FieldSet(Sample, "ref"))], Cancel));

        Store.Classify(fault).ShouldBe(StoreFault.Constraint);
    }

    [Fact]
    public async Task Two_rows_of_one_write_with_a_unique_value_break_a_constraint()
    {
        var fault = await CatchAsync(transaction => transaction.WriteRowsAsync(Sample, Company,
        [
            new(Row(Guid.CreateVersion7(), Now, ("ref", "same")), IsNew: true, 0),
            new(Row(Guid.CreateVersion7(), Now, ("ref", "same")), IsNew: true, 0),
        ], Cancel));

        Store.Classify(fault).ShouldBe(StoreFault.Constraint);
    }

    [Fact]
    public async Task Inserting_an_id_that_exists_breaks_a_constraint_and_changes_nothing()
    {
        var row = Row(Guid.CreateVersion7(), Now, ("notes", "first"));
        await InsertAsync(Company, row);

        var fault = await CatchAsync(transaction => transaction.WriteRowsAsync(Sample, Company,
            [new(Row(row.Id, Now, ("notes", "second")), IsNew: true, 0)], Cancel));

        Store.Classify(fault).ShouldBe(StoreFault.Constraint);
        (await Rows.FindRowAsync(Sample, Company, row.Id, Cancel)).ShouldNotBeNull().Values.ShouldBe(row.Values);
    }

    [Fact]
    public async Task A_refusal_by_the_database_itself_is_transient_and_the_chunk_can_be_applied_again()
    {
        var job = await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        var fault = await Should.ThrowAsync<Exception>(Store.ApplyAsync(lease, chunks, async (transaction, cancellationToken) =>
        {
            await Effects(chunks)(transaction, cancellationToken);
            await Database.ThrowTransientFaultAsync(transaction, cancellationToken);
            return [AllCreated(chunks[0])];
        }, Cancel));

        Store.Classify(fault).ShouldBe(StoreFault.Transient);
        (await FindAsync(job)).ShouldBe(job);
        (await ApplyAsync(lease, chunks)).ShouldBeTrue();
        (await AppliedAsync(Company)).ShouldBe(RecordsOf(job));
    }

    // An object-relational mapper does that. A deadlock that looked like a bug would be blamed on a record.
    [Fact]
    public async Task A_fault_that_an_operation_wrapped_keeps_its_meaning()
    {
        await InsertAsync(Company, Row(Guid.CreateVersion7(), Now, ("ref", "taken")));

        var fault = await CatchAsync(async transaction =>
        {
            try
            {
                await transaction.WriteRowsAsync(Sample, Company, [new(Row(Guid.CreateVersion7(), Now, ("ref", "taken")), IsNew: true, 0)], Cancel);
            }
            catch (DbException cause)
            {
                throw new InvalidOperationException("The row could not be saved.", cause);
            }
        });

        fault.ShouldBeOfType<InvalidOperationException>();
        Store.Classify(fault).ShouldBe(StoreFault.Constraint);
    }

    [Fact]
    public void An_unavailable_store_is_transient()
    {
        Store.Classify(new StoreUnavailableException("The database is locked.")).ShouldBe(StoreFault.Transient);
    }

    [Fact]
    public void A_bug_in_an_operation_is_no_fault_of_the_store()
    {
        Store.Classify(new InvalidOperationException("bug")).ShouldBe(StoreFault.None);
        Store.Classify(new KeyNotFoundException("bug")).ShouldBe(StoreFault.None);
        Store.Classify(new FormatException("bug")).ShouldBe(StoreFault.None);
    }

    [Fact]
    public async Task A_statement_on_what_the_database_lacks_is_a_fault_of_the_deployment()
    {
        var fault = await CatchAsync(async transaction =>
        {
            await using var command = transaction.Connection.CreateCommand();
            command.Transaction = transaction.Transaction;
            command.CommandText = "SELECT no_such_column FROM no_such_table";
            await command.ExecuteNonQueryAsync(Cancel);
        });

        Store.Classify(fault).ShouldBe(StoreFault.Deployment);
    }

    /// <summary>Lets <paramref name="work"/> break a transaction.</summary>
    private async Task<Exception> CatchAsync(Func<IChunkTransaction, Task> work) =>
        await Should.ThrowAsync<Exception>(InTransactionAsync(Company, work));
}
