using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Sqlite;

/// <summary>The file under a running server: what others on the machine do to it, and what they may see of it.</summary>
public sealed class SqliteFileTests : IDisposable
{
    private readonly SqliteFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("moved")]
    [InlineData("deleted")]
    [InlineData("replaced")]
    public async Task Nothing_is_acknowledged_once_the_file_is_gone(string how)
    {
        await using var store = await _folder.OpenAsync();
        await SealAsync(store);
        var elsewhere = _folder.DatabasePath + ".elsewhere";
        if (how == "deleted")
            File.Delete(_folder.DatabasePath);
        else
            File.Move(_folder.DatabasePath, elsewhere);
        if (how == "replaced")
            await File.WriteAllTextAsync(_folder.DatabasePath, "", Stop);

        var unavailable = await Should.ThrowAsync<StoreUnavailableException>(() => SealAsync(store));
        unavailable.Message.ShouldContain("moved");
        (await Should.ThrowAsync<StoreUnavailableException>(() => store.Upkeep.PingAsync(Stop))).Message.ShouldContain(_folder.DatabasePath);
        File.Exists(_folder.DatabasePath).ShouldBe(how == "replaced");
        if (how == "moved")
        {
            File.Move(elsewhere, _folder.DatabasePath);
            await SealAsync(store);
            await store.Upkeep.PingAsync(Stop);
        }
    }

    [Fact]
    public async Task A_connection_that_is_opened_anew_makes_no_new_file()
    {
        await using var store = await _folder.OpenAsync();
        var company = Guid.CreateVersion7();
        var job = SqliteFolder.NewJob(company);
        await store.Jobs.SealJobAsync(job, SqliteFolder.Chunk(), Stop);
        var lease = (await store.Lanes.ClaimLaneAsync("node", TimeSpan.FromMinutes(1), Stop)).ShouldNotBeNull();
        var chunks = await store.Lanes.ReadAheadAsync(lease, null, 10, Stop);
        // A damaged page makes the store give its connection up.
        await Should.ThrowAsync<Microsoft.Data.Sqlite.SqliteException>(() => store.Lanes.ApplyAsync(
            lease, chunks, (_, _) => throw new Microsoft.Data.Sqlite.SqliteException("damaged", 11), Stop));
        File.Delete(_folder.DatabasePath);

        await Should.ThrowAsync<StoreUnavailableException>(() => SealAsync(store));

        File.Exists(_folder.DatabasePath).ShouldBeFalse();
    }

    [Theory]
    [InlineData("symbolic link")]
    [InlineData("hard link")]
    [InlineData("link to its folder")]
    public async Task A_second_store_is_refused_by_whatever_name(string how)
    {
        await using var store = await _folder.OpenAsync();
        var name = Path.Combine(_folder.Root, "other.db");
        if (how == "symbolic link")
            File.CreateSymbolicLink(name, _folder.DatabasePath);
        else if (how == "hard link")
            CreateHardLink(_folder.DatabasePath, name);
        else
            name = Path.Combine(Directory.CreateSymbolicLink(Path.Combine(_folder.Root, "link"), Path.GetDirectoryName(_folder.DatabasePath)!).FullName, "apijobs.db");

        await using var second = _folder.StoreAt(name);

        (await Should.ThrowAsync<InvalidOperationException>(() => second.Upkeep.InitializeAsync(Stop))).Message.ShouldContain("PostgreSql");
        await SealAsync(store);
    }

    [Fact]
    public async Task A_database_behind_a_link_is_opened_and_finds_what_was_committed()
    {
        await using (var store = await _folder.OpenAsync())
            await SealAsync(store);
        var name = Path.Combine(_folder.Root, "link.db");
        File.CreateSymbolicLink(name, _folder.DatabasePath);

        await using var linked = _folder.StoreAt(name);
        await linked.Upkeep.InitializeAsync(Stop);

        (await linked.Lanes.IsLaneWaitingAsync(Stop)).ShouldBeTrue();
        await linked.Upkeep.PingAsync(Stop);
        Directory.EnumerateFiles(_folder.Root).Select(Path.GetFileName).ShouldBe(["link.db"]);
    }

    [Fact]
    public async Task What_the_store_makes_is_its_owner_s_alone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "On Windows the folder's access rules are inherited.");
        await using var store = await _folder.OpenAsync();
        await SealAsync(store);

        var folder = Path.GetDirectoryName(_folder.DatabasePath)!;
#pragma warning disable CA1416 // Skipped where there are no such modes.
        File.GetUnixFileMode(folder).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var files = Directory.GetFiles(folder);
        files.Length.ShouldBe(4);
        foreach (var file in files)
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
#pragma warning restore CA1416
    }

    private static Task<SealResult> SealAsync(ApiJobs.Sqlite.SqliteStore store) =>
        store.Jobs.SealJobAsync(SqliteFolder.NewJob(Guid.CreateVersion7()), SqliteFolder.Chunk(), Stop);

    private static void CreateHardLink(string file, string name)
    {
        using var linking = System.Diagnostics.Process.Start("ln", [file, name]);
        linking.WaitForExit();
        linking.ExitCode.ShouldBe(0);
    }
}
