using ApiJobs.Crash.Tests.Load;

namespace ApiJobs.Crash.Tests.Nodes;

/// <summary>The nodes of a round, as clients see them: some are up.</summary>
internal sealed class Cluster(IReadOnlyList<Node> nodes) : IAsyncDisposable
{
    public IReadOnlyList<Node> Nodes => nodes;

    public Node this[string name] => nodes.Single(node => node.Name == name);

    /// <summary>Gives a node that is up, as a load balancer would; null if none is.</summary>
    public Uri? PickUrl(Dice dice)
    {
        Uri[] up = [.. nodes.Select(node => node.Url).OfType<Uri>()];
        return up.Length == 0 ? null : up[dice.Next(up.Length)];
    }

    /// <summary>Starts the nodes that are down.</summary>
    public Task StartAllAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(nodes.Where(node => node.Url is null).Select(node => node.StartAsync(cancellationToken)));

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
            await node.DisposeAsync();
    }
}
