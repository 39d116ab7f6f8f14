using System.Net.Sockets;
using System.Text;

namespace ApiJobs.Server.Tests.Contract;

/// <summary><c>Expect: 100-continue</c>: a request that is going to be refused anyway is refused before its body is sent.</summary>
public sealed class ExpectationTests(SqliteApiServer server) : IClassFixture<SqliteApiServer>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _token = TestAuthentication.Token(ApiServer.NewCompany(), ApiServer.AllScopes);

    [Theory]
    [InlineData("cases/bulk", null, "application/json", 1_000, 401)]
    [InlineData("cases/bulk", "Bearer nonsense", "application/json", 1_000, 401)]
    [InlineData("cases/bulk", "", "text/plain", 1_000, 415)]
    [InlineData("cases/bulk", "", "multipart/mixed; boundary=x", 1_000, 415)]
    [InlineData("cases/bulk", "", "application/json", ApiServer.MaxBodyBytes + 1, 413)]
    [InlineData("cases/bulk?nonsense=1", "", "application/json", 1_000, 400)]
    [InlineData("cases/bulk?retry_of=43dbbc35-d114-4da5-a1c0-6abbea6d7bf5", "", "text/csv", 1_000, 404)]
    [InlineData("nowhere/bulk", "", "application/json", 1_000, 404)]
    public async Task A_request_that_is_refused_by_its_headers_is_not_told_to_go_on(string path, string? token, string type, long length, int status)
    {
        var answer = await AskAsync(path, token is "" ? $"Bearer {_token}" : token, type, length, body: null);
        answer.ShouldStartWith($"HTTP/1.1 {status} ");
    }

    [Fact]
    public async Task A_request_that_is_served_is_told_to_go_on()
    {
        var answer = await AskAsync("cases/bulk", $"Bearer {_token}", "application/json", 4, "[{}]");
        answer.ShouldStartWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 ");
    }

    /// <summary>Sends a request's headers, its body once it is asked to, and reads the answer to its end.</summary>
    private async Task<string> AskAsync(string path, string? token, string type, long length, string? body)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Patience);
        using var client = new TcpClient();
        await client.ConnectAsync(server.Address.Host, server.Address.Port, deadline.Token);
        var stream = client.GetStream();
        var authorization = token is null ? "" : $"Authorization: {token}\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST {ApiServer.Prefix}/{path} HTTP/1.1\r\nHost: test\r\n{authorization}Content-Type: {type}\r\nContent-Length: {length}\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n"), deadline.Token);
        var answer = new StringBuilder();
        var buffer = new byte[8_192];
        while (await stream.ReadAsync(buffer, deadline.Token) is > 0 and var count)
        {
            answer.Append(Encoding.UTF8.GetString(buffer, 0, count));
            if (body is not null && answer.ToString() == "HTTP/1.1 100 Continue\r\n\r\n")
                await stream.WriteAsync(Encoding.ASCII.GetBytes(body), deadline.Token);
            // A refused request's body never comes: the answer is complete with the problem.
            if (body is null && answer.ToString().EndsWith('}'))
                break;
        }

        return answer.ToString();
    }
}
