using System.Diagnostics;
using ApiJobs.Sqlite;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Sqlite;

/// <summary>A disk that one company fills: the others' jobs are applied, and what was left behind is removed.</summary>
public sealed class SqliteRoomTests : IDisposable
{
    private const int Megabyte = 1 << 20;

    private static readonly TimeSpan Lease = TimeSpan.FromHours(1);
    private readonly SqliteFolder _folder = new();
    private readonly Guid _company = Guid.CreateVersion7();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_company_that_fills_the_disk_is_stopped_and_its_upload_gives_the_room_back(bool restart)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "This test fills a disk of its own, and only root may mount one. Run the tests as root to include it.");
        var disk = Directory.CreateDirectory(Path.Combine(_folder.Root, "disk")).FullName;
        await RunAsync("mount", "-t", "tmpfs", "-o", $"size={96 * Megabyte}", "apijobs-room", disk);
        SqliteStore? store = null;
        try
        {
            var path = Path.Combine(disk, "apijobs.db");
            store = await OpenAsync(path);
            await SealAsync(store, _company);
            var upload = Guid.CreateVersion7();
            var full = await FillAsync(store, upload);
            full.Message.ShouldContain(disk);
            full.IsDiskLow.ShouldBeTrue();
            // Small ones are let in for a while where a large chunk is not.
            await FillAsync(store, Guid.CreateVersion7(), 16_384);
            await Should.ThrowAsync<StoreUnavailableException>(() => SealAsync(store, Guid.CreateVersion7(), 16_384));
            await Should.ThrowAsync<StoreUnavailableException>(() => store.Upkeep.PingAsync(Stop));
            await ApplyAsync(store);

            if (restart)
            {
                await store.DisposeAsync();
                store = await OpenAsync(path);
                // Nobody can go on with it, so it need not have stood still for long.
                (await store.Upkeep.SweepUploadsAsync(TimeSpan.FromDays(1), Stop)).ShouldBe(2);
            }
            else
            {
                await store.Jobs.AbandonUploadAsync(_company, upload, Stop);
            }

            await store.Upkeep.PingAsync(Stop);
            for (var job = 0; job < 20; job++)
                (await SealAsync(store, Guid.CreateVersion7(), Megabyte)).ShouldBeOfType<SealResult.Sealed>();
        }
        finally
        {
            if (store is not null)
                await store.DisposeAsync();
            await RunAsync("umount", disk);
        }
    }

    private async Task<SqliteStore> OpenAsync(string path)
    {
        var store = _folder.StoreAt(path);
        await store.Upkeep.InitializeAsync(Stop);
        return store;
    }

    private async Task<StoreUnavailableException> FillAsync(SqliteStore store, Guid upload, int chunkBytes = Megabyte)
    {
        for (var index = 0; ; index++)
        {
            try
            {
                await store.Jobs.AppendChunkAsync(_company, upload, SqliteFolder.Chunk(index, index, payloadBytes: chunkBytes), Stop);
            }
            catch (StoreUnavailableException exception)
            {
                return exception;
            }
        }
    }

    private static Task<SealResult> SealAsync(SqliteStore store, Guid company, int bytes = 20) =>
        store.Jobs.SealJobAsync(SqliteFolder.NewJob(company), SqliteFolder.Chunk(payloadBytes: bytes), Stop);

    private static async Task ApplyAsync(SqliteStore store)
    {
        var lease = (await store.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldNotBeNull();
        var chunks = await store.Lanes.ReadAheadAsync(lease, null, 1, Stop);
        (await store.Lanes.ApplyAsync(lease, chunks, (_, _) => Task.FromResult(SqliteFolder.AllUpdated(chunks)), Stop)).ShouldHaveSingleItem();
        await store.Lanes.ReleaseLaneAsync(lease, null, Stop);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var running = Process.Start(program, arguments);
        await running.WaitForExitAsync(Stop);
        running.ExitCode.ShouldBe(0);
    }
}
