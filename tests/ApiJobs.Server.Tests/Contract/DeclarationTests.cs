using ApiJobs.Declarations;
using ApiJobs.Operations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>Mistakes in an application's declarations are told when it starts, not when a request comes.</summary>
public sealed class DeclarationTests
{
    [Fact]
    public void Two_operations_cannot_be_at_one_method_and_path() =>
        Should.Throw<ArgumentException>(() => new ServiceCollection().AddApiJobs(jobs => jobs
            .AddResource(TestResources.Case).AddOperation(new TagCases(), HttpMethods.Post, "cases/bulk")));

    [Theory]
    [InlineData("/cases/tags")]
    [InlineData("cases/tags/")]
    [InlineData("cases/{id}/tags")]
    [InlineData(" ")]
    [InlineData("api-jobs/tags")]
    public void A_path_that_cannot_be_an_operations_is_refused(string path) =>
        Should.Throw<ArgumentException>(() => new ServiceCollection().AddApiJobs(
            jobs => jobs.AddOperation(new TagCases(), HttpMethods.Post, path)));

    [Fact]
    public void The_engine_is_added_once()
    {
        var services = new ServiceCollection().AddApiJobs(_ => { });
        Should.Throw<InvalidOperationException>(() => services.AddApiJobs(_ => { }));
    }

    [Fact]
    public void A_resource_brings_three_operations()
    {
        using var services = new ServiceCollection().AddApiJobs(jobs => jobs.AddResource(TestResources.Case)).BuildServiceProvider();
        services.GetRequiredService<OperationCatalog>().All.Select(operation => operation.Type).ShouldBe(
            ["customer_case_bulk_create", "customer_case_bulk_update", "customer_case_bulk_upsert"]);
    }

    [Fact]
    public void The_scopes_are_those_of_what_is_declared() =>
        ApiJobsDeclarations.Of(jobs => jobs
            .AddResource(TestResources.Gadget)
            .AddOperation(new TagCases(), HttpMethods.Post, "gadgets/tags/bulk")
            .AddOperation(new TagCases(), HttpMethods.Post, "labels/bulk")
            .AddOperation(new TagCases(), HttpMethods.Put, "labels/bulk", "labels:replace")).Scopes
            .ShouldBe(["jobs:read", "jobs:write", "gadgets:read", "gadgets:write", "labels:write", "labels:replace"]);

    [Fact]
    public void The_engine_knows_no_web() =>
        typeof(ApiJobEngine).Assembly.GetReferencedAssemblies().ShouldAllBe(assembly => !assembly.Name!.Contains("AspNetCore"));

    [Fact]
    public async Task A_host_without_a_web_accepts_and_works_on_jobs()
    {
        await using var host = await EngineHost.StartAsync(jobs => jobs.AddResource(TestResources.Case));
        (await host.RunAsync("customer_case_bulk_create", """[{"ref":"A"}]""")).Counts.Created.ShouldBe(1);
    }

    [Fact]
    public void An_operation_is_made_by_the_applications_services_once()
    {
        using var services = new ServiceCollection().AddSingleton(new Dependency())
            .AddApiJobs(jobs => jobs.AddOperation<NeedsSomething>(HttpMethods.Post, "cases/needs/bulk")).BuildServiceProvider();
        var operation = services.GetRequiredService<OperationCatalog>().Find("case_need_bulk_create").ShouldBeOfType<NeedsSomething>();
        operation.Dependency.ShouldBe(services.GetRequiredService<Dependency>());
        services.GetRequiredService<NeedsSomething>().ShouldBeSameAs(operation);
        services.GetRequiredService<BulkRoutes>().All.ShouldHaveSingleItem().ShouldBe(new(operation, "POST", "cases/needs/bulk", "cases:write"));
    }

    [Theory]
    [InlineData("Intake:MaxDepth", "1")]
    [InlineData("Worker:Slots", "0")]
    [InlineData("Worker:Slice", "00:00:00")]
    [InlineData("Worker:Lease", "00:00:00")]
    [InlineData("Worker:PollInterval", "-00:00:01")]
    [InlineData("Intake:UploadExpiry", "00:00:00")]
    [InlineData("Retention:Interval", "00:00:00")]
    [InlineData("Retention:Jobs", "-00:00:01")]
    public async Task Options_out_of_their_range_stop_the_start(string key, string value)
    {
        await using var server = new MisconfiguredServer(key, value);
        await Should.ThrowAsync<OptionsValidationException>(server.StartAsync);
    }

    [Theory]
    [InlineData("engine/api")]
    [InlineData("/{company}/api")]
    public async Task A_prefix_that_cannot_be_one_is_refused(string prefix)
    {
        await using var app = WebApplication.CreateBuilder().Build();
        Should.Throw<ArgumentException>(() => app.MapApiJobs(prefix));
        Should.Throw<ArgumentException>(() => app.MapGroup("/v1").MapApiJobs("/api"));
    }

    private sealed class Dependency;

    private sealed class NeedsSomething(Dependency dependency) : BulkOperation<Tag>("case_need_bulk_create", "Need", TagJson.Default.Tag)
    {
        public Dependency Dependency => dependency;

        protected override Task ApplyAsync(
            IReadOnlyList<BulkRecord<Tag>> records, OperationContext context, CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class MisconfiguredServer : IAsyncDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("apijobs-").FullName;
        private readonly WebApplication _app;

        public MisconfiguredServer(string key, string value)
        {
            var builder = WebApplication.CreateBuilder([$"--{key}={value}", "--urls=http://127.0.0.1:0"]);
            builder.Services.AddApiJobs(_ => { });
            builder.Services.AddSqliteStore($"Data Source={Path.Combine(_folder, "apijobs.db")}");
            _app = builder.Build();
        }

        public Task StartAsync() => ((IHost)_app).StartAsync();

        public async ValueTask DisposeAsync()
        {
            await _app.DisposeAsync();
            Directory.Delete(_folder, recursive: true);
        }
    }
}
