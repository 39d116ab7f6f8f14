using System.Security.Cryptography;
using ApiJobs.Server.Settings;
using Microsoft.Extensions.Configuration;

namespace ApiJobs.Server.Tests.OAuth;

public sealed class ServerSettingsTests
{
    [Fact]
    public void Without_any_setting_the_server_uses_a_SQLite_file_and_issues_its_own_tokens()
    {
        var settings = Read([]);
        settings.Storage.IsPostgreSql.ShouldBeFalse();
        settings.Storage.ConnectionString.ShouldBe("Data Source=data/apijobs.db");
        settings.OAuth.UsesExternalAuthority.ShouldBeFalse();
        settings.OAuth.IssuerUri.AbsoluteUri.ShouldBe("urn:apijobs");
        settings.Http.BasePath.ShouldBe("/engine/api");
        settings.Webhooks.AllowPrivateNetworks.ShouldBeFalse();
    }

    [Theory]
    [InlineData("Storage:Provider", "MySql", "Storage:Provider is 'MySql'. Set it to 'Sqlite' or 'PostgreSql'.")]
    [InlineData("Storage:Provider", "PostgreSql", "Storage:ConnectionString is missing")]
    [InlineData("Storage:ConnectionString", "Host=localhost;Password=hush", "is not a connection string for Sqlite")]
    [InlineData("Worker:Slots", "0", "Worker:Slots")]
    [InlineData("Worker:Slots", "many", "Worker:Slots")]
    [InlineData("Worker:Enabled", "perhaps", "Worker:Enabled")]
    [InlineData("Intake:MaxBodyBytes", "0", "Intake:MaxBodyBytes")]
    [InlineData("Webhooks:AllowPrivateNetworks", "x", "Webhooks:AllowPrivateNetworks")]
    [InlineData("OAuth:Issuer", "localhost", "OAuth:Issuer is 'localhost'. Set it to an http or https URL")]
    [InlineData("OAuth:Authority", "ftp://x", "OAuth:Authority")]
    [InlineData("OAuth:Authority", "http://login.example.com", "OAuth:Authority is 'http://login.example.com'. Use https")]
    [InlineData("OAuth:Audience", "", "OAuth:Audience is empty")]
    [InlineData("OAuth:CompanyClaim", "", "OAuth:CompanyClaim is empty")]
    [InlineData("OAuth:TokenLifetime", "00:00:01", "OAuth:TokenLifetime")]
    [InlineData("OAuth:KeyRotation", "00:00:01", "OAuth:KeyRotation")]
    [InlineData("OAuth:KeyEncryptionKey", "c2hvcnQ=", "openssl rand -base64 32")]
    [InlineData("OAuth:KeyEncryptionKey", "not base64", "openssl rand -base64 32")]
    [InlineData("Http:BasePath", "engine", "Http:BasePath is 'engine'")]
    [InlineData("Http:BasePath", "/{x}", "Http:BasePath")]
    [InlineData("Http:MaxConnections", "0", "Http:MaxConnections is 0. Set it to 1…1000000; the default is 10000.")]
    [InlineData("Http:ShutdownTimeout", "00:00:00", "Http:ShutdownTimeout")]
    [InlineData("Http:TrustedProxies:0", "everybody", "Http:TrustedProxies has 'everybody'")]
    [InlineData("Worker:Slice", "00:00:00", "Worker:Slice is 00:00:00. Set it to 00:00:00.0010000…00:01:00; the default is 00:00:00.1000000.")]
    [InlineData("Worker:Lease", "00:00:00", "Worker:Lease")]
    [InlineData("Worker:PollInterval", "-00:00:01", "Worker:PollInterval")]
    [InlineData("Intake:UploadExpiry", "00:00:00", "Intake:UploadExpiry")]
    [InlineData("Retention:Records", "soon", "Retention:Records")]
    [InlineData("Retention:Jobs", "-1.00:00:00", "Retention:Jobs is -1.00:00:00. Set it to 00:00:00…36500.00:00:00, or leave it out.")]
    [InlineData("Retention:Interval", "00:00:00", "Retention:Interval")]
    [InlineData("Limits:RequestsPerSecondPerClient", "-1", "Limits:RequestsPerSecondPerClient is -1. Set it to 0…1000000; the default is 1000")]
    [InlineData("Limits:RequestBurstPerCompany", "0", "Limits:RequestBurstPerCompany is 0. Set it to 1…10000000")]
    [InlineData("Limits:OpenUploads", "many", "Limits:OpenUploads")]
    [InlineData("Limits:QueuedRecordsPerCompany", "-1", "Limits:QueuedRecordsPerCompany is -1. Set it to 0…")]
    [InlineData("Limits:QueuedBytes", "-5", "Limits:QueuedBytes is -5. Set it to 0…")]
    [InlineData("Storage:MaxReaders", "0", "Storage:MaxReaders is 0. Set it to 1…64")]
    [InlineData("Storage:LockTimeout", "00:00:00", "Storage:LockTimeout")]
    public void A_wrong_setting_is_told_with_what_to_do(string name, string value, string message) =>
        Should.Throw<SettingsException>(() => Read(new() { [name] = value })).Message.ShouldContain(message);

    [Theory]
    [InlineData("Limits:TokenRequestsPerMinutePerClient")]
    [InlineData("Limits:TokenRequestsPerMinutePerAddress")]
    [InlineData("Limits:ConcurrentSecretChecks")]
    public void A_limit_of_nothing_is_told(string name) =>
        Should.Throw<SettingsException>(() => Read(new() { [name] = "0" })).Message.ShouldContain($"{name} is 0. Set it to 1…");

    [Fact]
    public void A_secret_that_could_be_guessed_is_refused() =>
        Should.Throw<SettingsException>(() => Read(new()
        {
            ["Bootstrap:Clients:0:ClientId"] = "demo",
            ["Bootstrap:Clients:0:ClientSecret"] = new('x', 31),
            ["Bootstrap:Clients:0:CompanyId"] = OAuthServer.CompanyId,
            ["Bootstrap:Clients:0:Scopes"] = "cases:read",
        })).Message.ShouldContain("has 31 characters; use 32…256");

    [Theory]
    [InlineData("Storage:NotifyInterval", "-00:00:01")]
    [InlineData("Storage:IdleTransactionTimeout", "00:00:00")]
    [InlineData("Storage:Listen", "perhaps")]
    public void What_only_PostgreSQL_knows_is_checked_where_it_is_used(string name, string value) =>
        Should.Throw<SettingsException>(() => Read(new()
        {
            ["Storage:Provider"] = "PostgreSql",
            ["Storage:ConnectionString"] = "Host=localhost",
            [name] = value,
        })).Message.ShouldContain(name);

    [Fact]
    public void Records_kept_longer_than_their_job_are_refused() =>
        Should.Throw<SettingsException>(() => Read(new() { ["Retention:Records"] = "2.00:00:00", ["Retention:Jobs"] = "1.00:00:00" }))
            .Message.ShouldContain("Retention:Records cannot be longer than Retention:Jobs");

    [Theory]
    [InlineData("Worker:Slot", "Worker:Slot is not a setting, and does nothing. The nearest one is Worker:Slots.")]
    [InlineData("Storage:Providr", "Storage:Provider")]
    [InlineData("Storage:MaxReader", "Storage:MaxReaders")]
    [InlineData("Intake:MaxBodyByte", "Intake:MaxBodyBytes")]
    [InlineData("Retention:Job", "Retention:Jobs")]
    [InlineData("OAuth:Isuer", "OAuth:Issuer")]
    [InlineData("Http:BasPath", "Http:BasePath")]
    [InlineData("Limits:ConcurrentSecretCheck", "Limits:ConcurrentSecretChecks")]
    [InlineData("Webhooks:AllowPrivateNetwork", "Webhooks:AllowPrivateNetworks")]
    [InlineData("Worker:Colour", "Worker:Colour is not a setting, and does nothing. Worker has: Enabled, NodeName,")]
    public void A_name_that_nobody_reads_is_told_with_the_nearest_one(string name, string warning) =>
        Read(new() { [name] = "1" }).Warnings.ShouldHaveSingleItem().ShouldContain(warning);

    [Fact]
    public void Names_of_both_stores_and_in_any_case_are_known() =>
        Read(new() { ["Storage:listen"] = "false", ["STORAGE:MAXREADERS"] = "3", ["Http:TrustedProxies:0"] = "10.0.0.0/8", ["Colour:Of"] = "ours" }).Warnings.ShouldBeEmpty();

    [Fact]
    public void The_key_encryption_key_can_come_from_a_file()
    {
        var file = Path.GetTempFileName();
        try
        {
            var key = RandomNumberGenerator.GetBytes(32);
            File.WriteAllText(file, $"{Convert.ToBase64String(key)}\n");
            Read(new() { ["OAuth:KeyEncryptionKeyFile"] = file }).OAuth.KeyEncryptionKeyOctets.ShouldBe(key);

            Should.Throw<SettingsException>(() => Read(new() { ["OAuth:KeyEncryptionKeyFile"] = file, ["OAuth:KeyEncryptionKey"] = Convert.ToBase64String(key) }))
                .Message.ShouldContain("Remove one of the two");
            File.WriteAllText(file, "hush");
            var wrong = Should.Throw<SettingsException>(() => Read(new() { ["OAuth:KeyEncryptionKeyFile"] = file })).Message;
            wrong.ShouldContain("openssl rand -base64 32");
            wrong.ShouldNotContain("hush");
            Should.Throw<SettingsException>(() => Read(new() { ["OAuth:KeyEncryptionKeyFile"] = $"{file}-not" })).Message.ShouldContain($"{file}-not' cannot be read");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("Data Source=:memory:")]
    [InlineData("Data Source=file:x.db")]
    [InlineData("Data Source=x.db;Mode=Memory")]
    public void A_database_that_is_no_file_is_refused(string connectionString) =>
        Should.Throw<SettingsException>(() => Read(new() { ["Storage:ConnectionString"] = connectionString })).Message.ShouldContain("Storage:ConnectionString does not name a file");

    [Theory]
    [InlineData("https://login.example.com")]
    [InlineData("http://localhost:8080/realms/crm")]
    [InlineData("http://127.0.0.1:8080")]
    [InlineData("http://[::1]:8080")]
    public void An_authority_is_trusted_over_TLS_or_on_this_machine(string authority) =>
        Read(new() { ["OAuth:Authority"] = authority }).OAuth.UsesExternalAuthority.ShouldBeTrue();

    [Fact]
    public void All_faults_are_told_at_once_and_no_secret_is_repeated()
    {
        var message = Should.Throw<SettingsException>(() => Read(new()
        {
            ["Storage:Provider"] = "x",
            ["OAuth:KeyEncryptionKey"] = "hush-key",
            ["Bootstrap:Clients:0:ClientId"] = "",
            ["Bootstrap:Clients:0:ClientSecret"] = "hush",
            ["Bootstrap:Clients:0:CompanyId"] = "company",
            ["Bootstrap:Clients:0:Scopes"] = "cases:read everything",
        })).Message;
        message.Split('\n').Length.ShouldBe(7);
        message.ShouldContain("Bootstrap:Clients:0:ClientId is missing");
        message.ShouldContain("Bootstrap:Clients:0:ClientSecret has 4 characters");
        message.ShouldContain("Bootstrap:Clients:0:CompanyId is 'company'");
        message.ShouldContain("'everything', which is not a scope");
        message.ShouldNotContain("hush");
    }

    [Fact]
    public void Scopes_are_a_text_with_spaces_or_an_array()
    {
        var clients = Read(new()
        {
            ["Bootstrap:Clients:0:ClientId"] = "text",
            ["Bootstrap:Clients:0:ClientSecret"] = "a secret of 32 characters or more",
            ["Bootstrap:Clients:0:CompanyId"] = OAuthServer.CompanyId,
            ["Bootstrap:Clients:0:Scopes"] = " cases:read  jobs:read ",
            ["Bootstrap:Clients:7:ClientId"] = "array",
            ["Bootstrap:Clients:7:ClientSecret"] = "a secret of 32 characters or more",
            ["Bootstrap:Clients:7:CompanyId"] = OAuthServer.CompanyId,
            ["Bootstrap:Clients:7:Scopes:0"] = "cases:read",
            ["Bootstrap:Clients:7:Scopes:1"] = "jobs:read",
        }).BootstrapClients;
        clients.Select(client => string.Join(' ', client.Scopes)).ShouldBe(["cases:read jobs:read", "cases:read jobs:read"]);
    }

    [Fact]
    public void Bootstrap_clients_and_an_external_authority_exclude_each_other() =>
        Should.Throw<SettingsException>(() => Read(new()
        {
            ["OAuth:Authority"] = "https://login.example.com",
            ["Bootstrap:Clients:0:ClientId"] = "demo",
            ["Bootstrap:Clients:0:ClientSecret"] = "a secret of 32 characters or more",
            ["Bootstrap:Clients:0:CompanyId"] = OAuthServer.CompanyId,
            ["Bootstrap:Clients:0:Scopes"] = "cases:read",
        })).Message.ShouldContain("Remove one of the two");

    private static ServerSettings Read(Dictionary<string, string?> settings) =>
        ServerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
}
