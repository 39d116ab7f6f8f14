using System.CommandLine;
using ApiJobs.Server.OAuth;

namespace ApiJobs.Server.Commands;

/// <summary>The operators' commands for OAuth clients.</summary>
internal static class ClientCommands
{
    public static Command Make() =>
        new("clients", "The programs that may call the API, each for one company.")
        {
            MakeAdd(), MakeList(), MakeRevoke(), MakeRotateSecret(),
        };

    private static Command MakeAdd()
    {
        var clientId = new Option<string>("--client-id") { Required = true, Description = "The new client's id: a short name." };
        var company = new Option<Guid>("--company") { Required = true, Description = "The id (UUID) of the company whose records it may see." };
        var scopes = new Option<string>("--scopes")
        {
            Required = true,
            Description = $"What it may do, separated by spaces: {string.Join(' ', Scopes.All)}",
        };
        clientId.Validators.Add(result =>
        {
            if (ClientIds.FaultOf(result.GetValueOrDefault<string>()) is { } fault)
                result.AddError($"--client-id {fault}");
        });
        scopes.Validators.Add(result =>
        {
            if (Scopes.FaultOf(Scopes.Split(result.GetValueOrDefault<string>() ?? "")) is { } fault)
                result.AddError($"--scopes {fault}");
        });

        var command = new Command("add", "Add a client and print its secret. The secret is shown this once; only its hash is kept.") { clientId, company, scopes }.TakesSettings();
        command.SetAction((parsed, cancellationToken) => OperatorServices.RunAsync(parsed, async services =>
        {
            var id = parsed.GetRequiredValue(clientId);
            var secret = ClientIds.NewSecret();
            if (!await services.GetRequiredService<ClientRegistry>().TryAddAsync(
                id, secret, parsed.GetRequiredValue(company), Scopes.Split(parsed.GetRequiredValue(scopes)), cancellationToken))
            {
                return Fail($"There is a client '{id}' already. Choose another id, or give it a new secret with: clients rotate-secret {id}");
            }

            PrintSecret(id, secret);
            return 0;
        }));
        return command;
    }

    private static Command MakeList()
    {
        var command = new Command("list", "List the clients: id, company, state and scopes, one a line, separated by tabs.").TakesSettings();
        command.SetAction((parsed, cancellationToken) => OperatorServices.RunAsync(parsed, async services =>
        {
            var registry = services.GetRequiredService<ClientRegistry>();
            foreach (var client in await registry.ListAsync(cancellationToken))
            {
                var state = client.RevokedAt is { } at ? $"revoked {at:yyyy-MM-dd HH:mm:ss}" : "active";
                Console.WriteLine($"{client.ClientId}\t{client.CompanyId}\t{state}\t{string.Join(' ', await registry.ScopesOfAsync(client, cancellationToken))}");
            }

            return 0;
        }));
        return command;
    }

    private static Command MakeRevoke()
    {
        var clientId = ClientIdArgument();
        var command = new Command("revoke", "Refuse a client from now on, on every node within five seconds, tokens it already has among it. This is final; its id stays taken.") { clientId }.TakesSettings();
        command.SetAction((parsed, cancellationToken) => OperatorServices.RunAsync(parsed, async services =>
        {
            var id = parsed.GetRequiredValue(clientId);
            if (!await services.GetRequiredService<ClientRegistry>().RevokeAsync(id, cancellationToken))
                return Fail($"There is no client '{id}'. See: clients list");
            Console.WriteLine($"Revoked {id}.");
            return 0;
        }));
        return command;
    }

    private static Command MakeRotateSecret()
    {
        var clientId = ClientIdArgument();
        var command = new Command("rotate-secret", "Give a client a new secret and print it, this once. The old one is refused at once; tokens it has stay good until they run out.") { clientId }.TakesSettings();
        command.SetAction((parsed, cancellationToken) => OperatorServices.RunAsync(parsed, async services =>
        {
            var id = parsed.GetRequiredValue(clientId);
            var secret = ClientIds.NewSecret();
            if (!await services.GetRequiredService<ClientRegistry>().ReplaceSecretAsync(id, secret, cancellationToken))
                return Fail($"There is no client '{id}' that is not revoked. See: clients list");
            PrintSecret(id, secret);
            return 0;
        }));
        return command;
    }

    private static Argument<string> ClientIdArgument() => new("client-id") { Description = "The client's id." };

    private static void PrintSecret(string clientId, string secret)
    {
        Console.WriteLine($"client_id: {clientId}");
        Console.WriteLine($"client_secret: {secret}");
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine(message);
        return 1;
    }
}
