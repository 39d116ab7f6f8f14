using System.Net.Sockets;
using System.Text;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>Clients that go away in the middle of a body.</summary>
public abstract class HangUpContract(ApiServer server)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Guid _company = ApiServer.NewCompany();

    public enum Farewell
    {
        /// <summary>The connection is reset.</summary>
        Reset,

        /// <summary>The connection is closed in order, but too early.</summary>
        Close,
    }

    [Theory]
    [InlineData(Farewell.Reset, true)]
    [InlineData(Farewell.Reset, false)]
    [InlineData(Farewell.Close, true)]
    [InlineData(Farewell.Close, false)]
    public async Task Nothing_remains_of_an_upload_whose_client_hung_up(Farewell farewell, bool lengthIsKnown)
    {
        var (appended, abandoned, ended) = (server.Store.Appended.Next, server.Store.Abandoned.Next, server.RequestEnded.Next);
        using (var client = await ConnectAsync())
        {
            // Two chunks and a half: the first is stored for sure when the third begins.
            await SendAsync(client, lengthIsKnown, records: (ApiServer.ChunkRecords * 2) + 5);
            await Wait(appended);
            (await server.CountStoredRowsAsync(_company)).ShouldBeGreaterThan(0);
            HangUp(client, farewell);
        }

        await Wait(abandoned);
        await Wait(ended);
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0);
        server.Warnings.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(Farewell.Reset)]
    [InlineData(Farewell.Close)]
    public async Task Nothing_remains_of_a_small_request_whose_client_hung_up(Farewell farewell)
    {
        var ended = server.RequestEnded.Next;
        using (var client = await ConnectAsync())
        {
            await SendAsync(client, lengthIsKnown: true, records: 3);
            HangUp(client, farewell);
        }

        await Wait(ended);
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0);
        server.Warnings.ShouldBeEmpty();
    }

    private static Task Wait(Task signal) => signal.WaitAsync(Patience, TestContext.Current.CancellationToken);

    private static void HangUp(TcpClient client, Farewell farewell)
    {
        if (farewell == Farewell.Reset)
            client.LingerState = new LingerOption(enable: true, seconds: 0);
        client.Close();
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync(server.Address.Host, server.Address.Port, TestContext.Current.CancellationToken);
        return client;
    }

    private async Task SendAsync(TcpClient client, bool lengthIsKnown, int records)
    {
        var token = TestAuthentication.Token(_company, "cases:write");
        var body = $"[{string.Concat(Enumerable.Repeat("{\"notes\":\"x\"},", records))}";
        var head = $"POST {ApiServer.Prefix}/cases/bulk HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n";
        var request = lengthIsKnown
            ? $"{head}Content-Length: 1000000\r\n\r\n{body}"
            : $"{head}Transfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n{body}\r\n";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
    }
}
