using System.CommandLine;
using ApiJobs.Server.OAuth;

namespace ApiJobs.Server.Commands;

/// <summary>The operators' commands for the keys that sign access tokens.</summary>
internal static class KeyCommands
{
    public static Command Make() => new("keys", "The keys that sign access tokens.") { MakeRotate() };

    private static Command MakeRotate()
    {
        var removeOld = new Option<bool>("--remove-old")
        {
            Description = "Also remove the older keys, because one of them may have been stolen: every token they signed is refused within seconds, and clients must get new ones.",
        };
        var command = new Command("rotate", "Sign with a new key from now on. Tokens signed before stay good until they run out. (The server does this by itself every OAuth:KeyRotation, 30 days unless configured.)") { removeOld }.TakesSettings();
        command.SetAction((parsed, cancellationToken) => OperatorServices.RunAsync(parsed, async services =>
        {
            Console.WriteLine($"kid: {await services.GetRequiredService<SigningKeyRing>().RotateAsync(parsed.GetValue(removeOld), cancellationToken)}");
            return 0;
        }));
        return command;
    }
}
