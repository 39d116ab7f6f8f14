using ApiJobs.Server.Settings;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ApiJobs.Server.Http;

/// <summary>Bounds what strangers may make the server hold, and says whose word is taken for who they are.</summary>
internal static class HttpLimits
{
    private static readonly TimeSpan SlowBodyGrace = TimeSpan.FromSeconds(10);

    /// <summary>Sets the limits of connections, headers and bodies, and the time for a graceful stop.</summary>
    public static void UseHttpLimits(this WebApplicationBuilder builder, HttpSettings settings)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = settings.MaxConnections;
            kestrel.Limits.MaxRequestHeadersTotalSize = settings.MaxHeaderBytes;
            kestrel.Limits.MaxRequestBodySize = settings.MaxBodyBytes;
            kestrel.ConfigureEndpointDefaults(listen => listen.RequireFirstByte(settings.FirstByteTimeout));
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(settings.MinBodyBytesPerSecond, SlowBodyGrace);
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.ShutdownTimeout);
    }

    /// <summary>Believes the configured proxies, and nobody else, about the client's address and scheme.</summary>
    /// <remarks>The forwarded host is never taken: nothing here is built from it but links, and those may be relative.</remarks>
    public static void UseTrustedProxies(this WebApplication app, HttpSettings settings)
    {
        if (settings.TrustedProxies.Length == 0)
            return;
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var network in settings.TrustedNetworks)
            options.KnownIPNetworks.Add(network);
        app.UseForwardedHeaders(options);
    }
}
