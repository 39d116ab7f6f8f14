using System.Text.Json.Serialization;
using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Records;
using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>What an operation says of a record may hold anything; both stores keep it, and the lane goes on.</summary>
public abstract class ShownTextTests(StoreFixture stores) : EngineTests(stores)
{
    [Fact]
    public async Task Errors_and_keys_of_any_text_are_stored_and_the_lane_goes_on()
    {
        Offer(new EchoingOperation());

        var job = await RunAsync(
            "echo_bulk_create", """{"say":"a\u0000b"}""", """{"say":"two\nlines"}""", """{"say":"plain"}""");
        var results = await ResultsAsync(job);

        job.Status.ShouldBe(ApiJobStatus.Completed);
        job.Counts.Failed.ShouldBe(3);
        results.Select(result => result.Key).ShouldBe([null, null, "plain"]);
        results.Select(result => result.Errors.Single()).ShouldBe(
        [
            new("a?b", "a?b", ""),
            new("two lines", "two lines", ""),
            new("plain", "plain", "/plain"),
        ]);
    }

    [Fact]
    public async Task Half_a_surrogate_pair_in_an_error_is_stored_as_the_character_that_stands_for_none()
    {
        Offer(new EchoingOperation());

        var job = await RunAsync("echo_bulk_create", """{"say":"half"}""");

        (await ResultsAsync(job)).Single().Errors.Single().Message.ShouldBe("Half: \ufffd.");
    }

    private sealed class EchoingOperation() : BulkOperation<Echo>("echo_bulk_create", "Echo", EchoJson.Default.Echo)
    {
        protected override string? KeyOf(Echo content) => content.Say;

        protected override Task ApplyAsync(
            IReadOnlyList<BulkRecord<Echo>> records, OperationContext context, CancellationToken cancellationToken)
        {
            foreach (var (record, content) in records)
                record.Fail(content.Say, content.Say == "half" ? "Half: \ud83d." : content.Say, JsonPointer.To(content.Say));
            return Task.CompletedTask;
        }
    }
}

public sealed class SqliteShownText(SqliteStores stores) : ShownTextTests(stores);

public sealed class PostgreSqlShownText(PostgreSqlStores stores) : ShownTextTests(stores);

internal sealed record Echo(string Say);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Echo))]
internal sealed partial class EchoJson : JsonSerializerContext;
