using ApiJobs.Server;
using ApiJobs.Server.Commands;
using ApiJobs.Server.Http;
using ApiJobs.Server.OAuth;
using ApiJobs.Server.Settings;

return await CommandLine.RunAsync(args, ServeAsync);

// The server, from configuration to the last request. Everything else on the command line is an operator's command.
static async Task<int> ServeAsync(string[] args, CancellationToken cancellationToken)
{
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
    var settings = ServerSettings.Read(builder.Configuration);

    builder.UseHttpLimits(settings.Http);
    builder.Services.AddSingleton(settings);
    builder.Services.AddSingleton(TimeProvider.System);
    builder.Services.AddOAuth(settings);
    builder.AddHealth(settings);
    builder.Services.AddApiJobsEngine(settings);

    await using var app = builder.Build();
    foreach (var warning in settings.Warnings)
        app.Logger.LogWarning("{Warning}", warning);
    app.UseProblemAnswers();
    app.UseFaultStatuses();
    app.UseHsts(); // Before a proxy is believed: it speaks of TLS that ends here.
    app.UseTrustedProxies(settings.Http);
    app.UseHealth(settings.Http);
    if (!settings.OAuth.UsesExternalAuthority)
        app.UseIssuer(settings.Http);
    app.UseAuthentication();
    app.UseAuthorization();

    if (!settings.OAuth.UsesExternalAuthority)
        app.MapTokenEndpoint(settings.Http);
    app.MapWhoAmI(settings.Http);
    app.MapApiJobsEngine(settings);

    await app.Services.InitializeOAuthAsync(cancellationToken);
    IHostedService[] background = [.. app.Services.GetServices<IHostedService>()];
    await app.RunAsync(cancellationToken);

    // Whoever supervises the process starts it again only if it did not end well.
    return BackgroundFailure.Of(background) is null ? 0 : 1;
}
