using ApiJobs.Server.Commands;

namespace ApiJobs.Server.Tests.OAuth;

public sealed class CommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("apijobs-commands-").FullName;

    [Fact]
    public async Task Clients_are_added_listed_and_revoked_without_a_server()
    {
        var added = await RunAsync("clients", "add", "--client-id", "crm", "--company", OAuthServer.CompanyId, "--scopes", "cases:write jobs:read");
        added.ExitCode.ShouldBe(0, added.Errors);
        added.Output.ShouldMatch("^client_id: crm\nclient_secret: [A-Za-z0-9_-]{43}\n$");

        var again = await RunAsync("clients", "add", "--client-id", "crm", "--company", OAuthServer.CompanyId, "--scopes", "jobs:read");
        again.ExitCode.ShouldBe(1);
        again.Errors.ShouldContain("There is a client 'crm' already");
        (await RunAsync("clients", "list")).Output.ShouldBe($"crm\t{OAuthServer.CompanyId}\tactive\tjobs:read cases:write\n");

        (await RunAsync("clients", "revoke", "nobody")).Errors.ShouldContain("There is no client 'nobody'");
        (await RunAsync("clients", "revoke", "crm")).Output.ShouldBe("Revoked crm.\n");
        (await RunAsync("clients", "rotate-secret", "crm")).ExitCode.ShouldBe(1);
    }

    [Fact]
    public async Task Wrong_arguments_are_refused_with_the_reason_and_nothing_is_made()
    {
        (await RunAsync("clients", "add", "--client-id", "a", "--company", "b", "--scopes", "jobs:read")).ExitCode.ShouldBe(1);
        var scopes = await RunAsync("clients", "add", "--client-id", "a", "--company", OAuthServer.CompanyId, "--scopes", "everything");
        scopes.ExitCode.ShouldBe(1);
        scopes.Errors.ShouldContain("'everything', which is not a scope");
        (await RunAsync("clients", "add", "--client-id", "a", "--compny", OAuthServer.CompanyId, "--scopes", "jobs:read")).ExitCode.ShouldBe(1);
        (await RunAsync("cliens", "list")).Errors.ShouldContain("'cliens' is neither a command nor a setting");
        Directory.EnumerateFileSystemEntries(_folder).ShouldBeEmpty();
    }

    [Fact]
    public async Task Settings_on_the_command_line_hold_for_commands_too()
    {
        var listed = await RunAsync("clients", "list", "--Storage:ConnectionString", "Data Source=elsewhere/x.db");
        listed.ExitCode.ShouldBe(0, listed.Errors);
        File.Exists(Path.Combine(_folder, "elsewhere", "x.db")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_server_that_cannot_start_says_why_in_one_message()
    {
        var started = await RunAsync("--Storage:Provider", "MySql");
        started.ExitCode.ShouldBe(1);
        started.Errors.ShouldContain("Set it to 'Sqlite' or 'PostgreSql'.");
        started.Errors.ShouldNotContain("   at ");
        var unreachable = await RunAsync("--Storage:Provider=PostgreSql", "--Storage:ConnectionString=Host=127.0.0.1;Port=1;Username=x;Timeout=5");
        unreachable.ExitCode.ShouldBe(1);
        unreachable.Errors.ShouldContain("Check Storage:ConnectionString");
        unreachable.Errors.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task Help_shows_the_commands()
    {
        var help = await RunAsync("--help");
        help.ExitCode.ShouldBe(0);
        help.Output.ShouldContain("clients");
        help.Output.ShouldContain("keys");
        (await RunAsync("clients", "add", "--help")).Output.ShouldContain("cases:write");
    }

    [Theory]
    [InlineData(null, "--urls", "http://x", "--Storage:Provider=Sqlite", "--Worker:Slots", "2")]
    [InlineData("serve", "serve")]
    [InlineData("value", "--urls=http://x", "value")]
    [InlineData("--compny", "--compny", "x")]
    [InlineData("-x", "-x")]
    public void A_word_that_is_no_setting_is_found(string? unknown, params string[] words) => CommandLine.UnknownWordIn(words).ShouldBe(unknown);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Task<CommandResult> RunAsync(params string[] arguments) =>
        ServerProcess.RunCommandAsync(arguments, [], _folder, TestContext.Current.CancellationToken);
}
