using System.Net.Mime;
using ApiJobs.Server.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Benchmarks.Peers;

/// <summary>Kestrel in a process of its own, with one endpoint that returns the same bytes to everybody: no token, no store, no JSON.</summary>
internal static class BareEndpoint
{
    /// <summary>The role of a process that is this endpoint; see <see cref="Roles"/>.</summary>
    public const string Role = "bare-endpoint";

    private const string BodySetting = "Bench:Body", FileSetting = "Bench:File";

    /// <summary>Starts it.</summary>
    public static Task<ServerProcess> StartAsync(byte[] body, CancellationToken cancellationToken) => ServerProcess.StartAsync(
        [new(Roles.Setting, Role), new(BodySetting, Convert.ToBase64String(body))], Path.GetTempPath(), Roles.Dll, cancellationToken);

    /// <summary>Starts it with a file, which it streams from <c>/file</c>.</summary>
    public static Task<ServerProcess> StartAsync(string file, CancellationToken cancellationToken) => ServerProcess.StartAsync(
        [new(Roles.Setting, Role), new(FileSetting, file)], Path.GetTempPath(), Roles.Dll, cancellationToken);

    /// <summary>Is it, until told to stop.</summary>
    public static async Task RunAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.Services.AddRoutingCore();
        await using var app = builder.Build();
        var body = Convert.FromBase64String(app.Configuration[BodySetting] ?? "");
        var file = app.Configuration[FileSetting];
        app.MapGet("/health/ready", () => Results.Ok());
        app.MapGet("/bytes", (HttpContext context) =>
        {
            context.Response.ContentType = MediaTypeNames.Application.Json;
            context.Response.ContentLength = body.Length;
            return context.Response.Body.WriteAsync(body).AsTask();
        });
        app.MapGet("/file", async (HttpContext context) =>
        {
            context.Response.ContentType = "application/x-ndjson";
            await using var content = File.OpenRead(file!);
            await content.CopyToAsync(context.Response.Body, context.RequestAborted);
        });
        await app.RunAsync();
    }
}
