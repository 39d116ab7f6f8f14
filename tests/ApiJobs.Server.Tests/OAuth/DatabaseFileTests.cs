using System.Runtime.Versioning;

namespace ApiJobs.Server.Tests.OAuth;

/// <summary>Who else on the machine may read what the server stores.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class DatabaseFileTests : IAsyncLifetime
{
    private const UnixFileMode OwnersFile = UnixFileMode.UserRead | UnixFileMode.UserWrite, OwnersFolder = OwnersFile | UnixFileMode.UserExecute;

    private readonly OAuthServer _server = new();

    private string Data => Path.Combine(_server.Folder, "data");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task The_data_folder_and_the_database_are_their_owners_alone()
    {
        await _server.InitializeAsync();
        ShouldBeOwners();
    }

    [Fact]
    public async Task So_they_are_where_an_external_authority_issues_the_tokens()
    {
        // Then the job store is the first to touch the file.
        foreach (var name in _server.Settings.Keys.Where(name => name.StartsWith("Bootstrap", StringComparison.Ordinal)).ToList())
            _server.Settings.Remove(name);
        _server.Settings["OAuth:Authority"] = "https://login.example.com";
        await _server.InitializeAsync();
        ShouldBeOwners();
    }

    [Fact]
    public async Task A_folder_that_is_there_stays_as_it_is()
    {
        var mode = OwnersFolder | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;
        Directory.CreateDirectory(Data, mode);
        await _server.InitializeAsync();
        File.GetUnixFileMode(Data).ShouldBe(mode);
        File.GetUnixFileMode(Path.Combine(Data, "apijobs.db")).ShouldBe(OwnersFile);
    }

    [Fact]
    public async Task Every_start_without_a_key_encryption_key_warns_and_none_with_it()
    {
        await _server.InitializeAsync();
        _server.Process.Output.ShouldContain("OAuth:KeyEncryptionKey is not set");
        await _server.RestartAsync();
        _server.Process.Output.ShouldContain("OAuth:KeyEncryptionKey is not set");

        _server.Settings["OAuth:KeyEncryptionKeyFile"] = Path.Combine(_server.Folder, "key");
        await File.WriteAllTextAsync(_server.Settings["OAuth:KeyEncryptionKeyFile"], $"{Convert.ToBase64String(new byte[32])}\n", TestContext.Current.CancellationToken);
        await _server.RestartAsync();
        _server.Process.Output.ShouldNotContain("OAuth:KeyEncryptionKey is not set");
        _server.Process.Output.ShouldContain("stored in clear were encrypted");
        _ = await _server.GetTokenAsync();
    }

    private void ShouldBeOwners()
    {
        File.GetUnixFileMode(Data).ShouldBe(OwnersFolder);
        foreach (var file in new[] { "apijobs.db", "apijobs.db-wal", "apijobs.db-shm" })
            File.GetUnixFileMode(Path.Combine(Data, file)).ShouldBe(OwnersFile, file);
    }
}
