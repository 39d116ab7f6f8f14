using System.Text.Json;

namespace ApiJobs.Server.Tests.OpenApi;

/// <summary>The server as it comes, for what it says of itself.</summary>
public sealed class DocumentServer : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("apijobs-openapi-");

    public ServerProcess Process { get; private set; } = null!;

    /// <summary>The OpenAPI document's text.</summary>
    public string Text { get; private set; } = "";

    public JsonElement Document { get; private set; }

    public async ValueTask InitializeAsync()
    {
        Process = await ServerProcess.StartAsync([new("Worker:Enabled", "false")], _folder.FullName, cancellationToken: TestContext.Current.CancellationToken);
        Text = await Process.Http.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), TestContext.Current.CancellationToken);
        Document = JsonDocument.Parse(Text).RootElement;
    }

    public async ValueTask DisposeAsync()
    {
        if (Process is not null)
            await Process.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
