using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Server;
using OpenIddict.Validation;

namespace ApiJobs.Server.OAuth;

/// <summary>Gives OpenIddict's server the keys of the ring, and has its options made anew when they change.</summary>
internal sealed class ServerSigningKeys(SigningKeyRing ring)
    : IConfigureOptions<OpenIddictServerOptions>, IPostConfigureOptions<OpenIddictServerOptions>, IOptionsChangeTokenSource<OpenIddictServerOptions>
{
    public string Name => Options.DefaultName;

    public void Configure(OpenIddictServerOptions options) =>
        options.SigningCredentials.AddRange(ring.Keys.Select(key => new SigningCredentials(key, SecurityAlgorithms.RsaSha256)));

    // OpenIddict signs with the first, and sorts by rules that see no difference between RSA keys.
    public void PostConfigure(string? name, OpenIddictServerOptions options)
    {
        var order = ring.Keys.Select((key, index) => (key.KeyId, index)).ToDictionary(pair => pair.KeyId, pair => pair.index, StringComparer.Ordinal);
        var sorted = options.SigningCredentials.OrderBy(credentials => order.GetValueOrDefault(credentials.Kid, int.MaxValue)).ToList();
        options.SigningCredentials.Clear();
        options.SigningCredentials.AddRange(sorted);
    }

    public IChangeToken GetChangeToken() => ring.NextChange;
}

/// <summary>Has the validation's options, which copy the server's keys, made anew after the server's.</summary>
internal sealed class ValidationSigningKeys : IOptionsChangeTokenSource<OpenIddictValidationOptions>, IDisposable
{
    private readonly IDisposable? _subscription;
    private CancellationTokenSource _changed = new();

    // The server's monitor tells its listeners after it has the new options; the ring would tell both at once.
    public ValidationSigningKeys(IOptionsMonitor<OpenIddictServerOptions> server) =>
        _subscription = server.OnChange((_, _) =>
        {
            using var fired = Interlocked.Exchange(ref _changed, new());
            fired.Cancel();
        });

    public string Name => Options.DefaultName;

    public IChangeToken GetChangeToken() => new CancellationChangeToken(Volatile.Read(ref _changed).Token);

    public void Dispose()
    {
        _subscription?.Dispose();
        _changed.Dispose();
    }
}
