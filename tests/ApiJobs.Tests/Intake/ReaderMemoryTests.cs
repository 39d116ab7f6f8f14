using System.Text;
using ApiJobs.Intake;

namespace ApiJobs.Tests.Intake;

// Allocations are counted for the whole process, so nothing else may run beside these tests.
[CollectionDefinition(nameof(CountsAllocations), DisableParallelization = true)]
public sealed class CountsAllocations;

[Collection(nameof(CountsAllocations))]
public sealed class ReaderMemoryTests
{
    private static readonly byte[] Record = Encoding.UTF8.GetBytes(
        """,{"id":"4528a261-917d-4cbc-939e-7ea48cffca69","ref":"W-104512","meta":{"branch":"Leeds","source":"web"},"email":"zoë.o'neill@example.org","notes":"Mirror wills; executors to be confirmed.\nCalled twice.","postcode":"LS1 4AP","full_names":"Zoë O'Neill"}""");

    [Fact]
    public async Task A_gigabyte_is_read_without_allocating_per_record()
    {
        var count = (1L << 30) / Record.Length;
        await using var reader = new JsonRecordReader(new GeneratedBody([(byte)'[', .. Record[1..]], Record, count, "]"u8.ToArray()), new IntakeOptions());
        (await reader.ReadAsync(TestContext.Current.CancellationToken)).ShouldBeTrue();

        var before = GC.GetTotalAllocatedBytes(precise: true);
        var records = 0L;
        while (await reader.ReadAsync(TestContext.Current.CancellationToken)) records++;
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;

        records.ShouldBe(count);
        allocated.ShouldBeLessThan(records, "less than a byte a record");
    }

    [Fact]
    public async Task Lines_and_rows_are_read_without_allocating_per_record()
    {
        var options = new IntakeOptions();
        var line = (byte[])[.. Record[1..], (byte)'\n'];
        var row = Encoding.UTF8.GetBytes("4528a261-917d-4cbc-939e-7ea48cffca69,W-104512,Leeds,zoë.o'neill@example.org,\"Called, \"\"twice\"\".\",,\\N\n");
        foreach (var reader in (RecordReader[])
        [
            new NdjsonRecordReader(new GeneratedBody([], line, 500_000, []), options),
            new CsvRecordReader(new GeneratedBody("id,ref,meta.branch,email,notes,meta.source,postcode\n"u8.ToArray(), row, 500_000, []), options),
        ])
        {
            (await reader.ReadAsync(TestContext.Current.CancellationToken)).ShouldBeTrue();
            var before = GC.GetTotalAllocatedBytes(precise: true);
            while (await reader.ReadAsync(TestContext.Current.CancellationToken)) { }
            (GC.GetTotalAllocatedBytes(precise: true) - before).ShouldBeLessThan(500_000, reader.GetType().Name);
            await reader.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("[{\"a\":\"", "x")]
    [InlineData("[{\"a\":[1", ",1")]
    [InlineData("[{", " ")]
    [InlineData("[\"", "x")]
    [InlineData("{\"", "x")]
    public async Task A_record_without_end_is_refused_after_the_limit_and_no_later(string head, string part)
    {
        using var body = new GeneratedBody(Encoding.UTF8.GetBytes(head), Encoding.UTF8.GetBytes(part), 1L << 40, []);
        await using var reader = new JsonRecordReader(body, new IntakeOptions());

        var before = GC.GetTotalAllocatedBytes(precise: true);
        await Should.ThrowAsync<RequestFaultException>(() => reader.ReadAsync(TestContext.Current.CancellationToken).AsTask());

        (GC.GetTotalAllocatedBytes(precise: true) - before).ShouldBeLessThan(6 << 20);
    }
}
