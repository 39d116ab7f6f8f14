using System.Security.Cryptography;
using ApiJobs.Server.OAuth;
using ApiJobs.Server.Settings;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace ApiJobs.Server.Tests.OAuth;

public sealed class SigningKeyRingTests : IDisposable
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly string _folder = Directory.CreateTempSubdirectory("apijobs-keys-").FullName;
    private readonly FakeTimeProvider _time = new(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly List<ServiceProvider> _nodes = [];

    [Fact]
    public async Task Nodes_that_start_together_make_one_key_between_them()
    {
        var rings = Enumerable.Range(0, 4).Select(_ => StartNode()).ToList();
        await Task.WhenAll(rings.Select(ring => Task.Run(() => ring.RefreshAsync(Cancel), Cancel)));
        rings.Select(ring => ring.Keys.ShouldHaveSingleItem().KeyId).Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_key_that_is_due_gets_one_successor_and_stays_until_its_tokens_are_dead()
    {
        var (one, other) = (StartNode(), StartNode());
        await one.RefreshAsync(Cancel);
        await other.RefreshAsync(Cancel);
        var first = one.Keys[0].KeyId;

        _time.Advance(TimeSpan.FromDays(30) - TimeSpan.FromSeconds(1));
        (await one.RefreshAsync(Cancel)).ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(1));
        await Task.WhenAll(Task.Run(() => one.RefreshAsync(Cancel), Cancel), Task.Run(() => other.RefreshAsync(Cancel), Cancel));
        one.Keys.Count.ShouldBe(2);
        one.Keys[1].KeyId.ShouldBe(first);
        other.Keys.Select(key => key.KeyId).ShouldBe(one.Keys.Select(key => key.KeyId));

        _time.Advance(TimeSpan.FromHours(1));
        await one.RefreshAsync(Cancel);
        one.Keys.Count.ShouldBe(2);
        _time.Advance(TimeSpan.FromMinutes(5));
        (await one.RefreshAsync(Cancel)).ShouldBeTrue();
        one.Keys.ShouldHaveSingleItem().KeyId.ShouldNotBe(first);
    }

    [Fact]
    public async Task A_change_is_told_once_and_no_change_is_not_told()
    {
        var ring = StartNode();
        var first = ring.NextChange;
        await ring.RefreshAsync(Cancel);
        first.HasChanged.ShouldBeTrue();

        var second = ring.NextChange;
        (await ring.RefreshAsync(Cancel)).ShouldBeFalse();
        second.HasChanged.ShouldBeFalse();
        await ring.RotateAsync(removeOld: false, Cancel);
        second.HasChanged.ShouldBeTrue();
    }

    [Fact]
    public async Task Strangers_tokens_make_the_keys_be_loaded_once_a_second_at_the_most()
    {
        var (ring, other) = (StartNode(), StartNode());
        await ring.RefreshAsync(Cancel);
        await other.RotateAsync(removeOld: false, Cancel);
        // That the clock has just made it load them must not keep a new key's first token out.
        (await ring.RefreshSoonAsync(Cancel)).ShouldBeTrue();
        ring.Keys.Count.ShouldBe(2);

        await other.RotateAsync(removeOld: false, Cancel);
        (await ring.RefreshSoonAsync(Cancel)).ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(1));
        (await ring.RefreshSoonAsync(Cancel)).ShouldBeTrue();
        ring.Keys.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Removing_old_keys_leaves_the_new_one_alone()
    {
        var ring = StartNode();
        await ring.RefreshAsync(Cancel);
        var kid = await ring.RotateAsync(removeOld: true, Cancel);
        ring.Keys.ShouldHaveSingleItem().KeyId.ShouldBe(kid);
    }

    [Fact]
    public async Task With_a_key_encryption_key_what_is_stored_is_not_a_private_key()
    {
        var secret = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        var ring = StartNode(secret);
        await ring.RefreshAsync(Cancel);

        await using (var context = await _nodes[^1].GetRequiredService<IDbContextFactory<OAuthDbContext>>().CreateDbContextAsync(Cancel))
        {
            var stored = await context.SigningKeys.SingleAsync(Cancel);
            stored.IsEncrypted.ShouldBeTrue();
            using var rsa = RSA.Create();
            Should.Throw<CryptographicException>(() => rsa.ImportPkcs8PrivateKey(stored.PrivateKey, out _));
        }

        var same = StartNode(secret);
        await same.RefreshAsync(Cancel);
        same.Keys[0].KeyId.ShouldBe(ring.Keys[0].KeyId);
        var missing = await Should.ThrowAsync<SettingsException>(() => StartNode().RefreshAsync(Cancel));
        missing.Message.ShouldContain("OAuth:KeyEncryptionKey is not set");
        var wrong = await Should.ThrowAsync<SettingsException>(() => StartNode(Convert.ToBase64String(new byte[32])).RefreshAsync(Cancel));
        wrong.Message.ShouldContain("another OAuth:KeyEncryptionKey");
    }

    [Fact]
    public async Task Keys_stored_in_clear_are_encrypted_once_there_is_a_key_for_that()
    {
        var ring = StartNode();
        await ring.RefreshAsync(Cancel);
        await ring.RotateAsync(removeOld: false, Cancel);
        var kids = ring.Keys.Select(key => key.KeyId).ToList();

        var secret = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        var (one, other) = (StartNode(secret), StartNode(secret));
        await Task.WhenAll(Task.Run(() => one.RefreshAsync(Cancel), Cancel), Task.Run(() => other.RefreshAsync(Cancel), Cancel));
        await using (var context = await _nodes[^1].GetRequiredService<IDbContextFactory<OAuthDbContext>>().CreateDbContextAsync(Cancel))
            (await context.SigningKeys.ToListAsync(Cancel)).ShouldAllBe(key => key.IsEncrypted);

        // They are the keys they were, for whoever has the key to them, and nobody else.
        var later = StartNode(secret);
        await later.RefreshAsync(Cancel);
        later.Keys.Select(key => key.KeyId).ShouldBe(kids);
        later.Keys[0].Rsa.ExportParameters(false).Modulus.ShouldBe(ring.Keys[0].Rsa.ExportParameters(false).Modulus);
        await Should.ThrowAsync<SettingsException>(() => StartNode().RefreshAsync(Cancel));
    }

    public void Dispose()
    {
        _nodes.ForEach(node => node.Dispose());
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    private SigningKeyRing StartNode(string? keyEncryptionKey = null)
    {
        var settings = ServerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Storage:ConnectionString"] = $"Data Source={Path.Combine(_folder, "keys.db")}",
            ["OAuth:KeyEncryptionKey"] = keyEncryptionKey,
        }).Build());
        OAuthSchema.Upgrade(settings.Storage);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddOAuthStores(settings);
        services.AddSingleton<TimeProvider>(_time);
        _nodes.Add(services.BuildServiceProvider());
        return _nodes[^1].GetRequiredService<SigningKeyRing>();
    }
}
