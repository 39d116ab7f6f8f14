using System.Text;
using ApiJobs.Declarations;
using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Sqlite;
using ApiJobs.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>An application without a web: a generic host with the engine, on a SQLite file of its own.</summary>
internal sealed class EngineHost : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("apijobs-");
    private readonly Guid _company = ApiServer.NewCompany();
    private readonly IHost _host;
    private WatchedStore? _store;

    private EngineHost(Action<ApiJobsBuilder> declare)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddSqliteStore($"Data Source={Path.Combine(_folder.FullName, "apijobs.db")}");
        builder.Services.AddSingleton<ILaneStore>(services =>
        {
            var store = services.GetRequiredService<SqliteStore>();
            return _store = new(store.Jobs, store.Lanes, store.Upkeep);
        });
        builder.Services.AddApiJobs(declare);
        _host = builder.Build();
    }

    public static async Task<EngineHost> StartAsync(Action<ApiJobsBuilder> declare)
    {
        var host = new EngineHost(declare);
        await host._host.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    /// <summary>Makes a job of a type and waits until it has ended.</summary>
    public async Task<ApiJob> RunAsync(string type, string json)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var engine = _host.Services.GetRequiredService<ApiJobEngine>();
        var operation = _host.Services.GetRequiredService<OperationCatalog>().Find(type)!;
        using var body = new MemoryStream(Encoding.UTF8.GetBytes(json));
        await using var records = RecordFormats.Open("application/json", body, new IntakeOptions())!;
        var job = await engine.AcceptAsync(new(_company, operation, JobOptions.None), records, cancellation);
        while (true)
        {
            var applied = _store!.Applied.Next;
            job = (await engine.FindJobAsync(_company, job.Id, cancellation))!;
            if (job.HasEnded)
                return job;
            await applied.WaitAsync(Patience, cancellation);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        SqliteConnection.ClearAllPools();
        _folder.Delete(recursive: true);
    }
}
