using ApiJobs.Intake;

namespace ApiJobs.Tests.Intake;

/// <summary>Runs a checkout of github.com/nst/JSONTestSuite, whose folder is named by the environment variable <c>JSON_TEST_SUITE</c>.</summary>
/// <remarks>The suite is not part of this repository, so these run when they are asked for: <c>--explicit only</c>.</remarks>
public sealed class JsonTestSuiteTests
{
    private static readonly Func<byte[], byte[]>[] Wrappings =
    [
        text => text,
        text => [.. "["u8, .. text, .. "]"u8],
        text => [.. "[{\"a\":1},"u8, .. text, .. "]"u8],
        text => [.. "[{\"value\":"u8, .. text, .. "}]"u8],
        text => [.. "{\"records\":[{\"value\":"u8, .. text, .. "\n}]}"u8],
    ];

    [Fact(Explicit = true)]
    public async Task Every_valid_text_passes_as_a_value_in_a_record()
    {
        foreach (var file in Files("y_"))
            foreach (var wrapping in Wrappings[3..])
            {
                var reading = await BodyReading.OfEverySplitAsync(wrapping(await ReadAsync(file)), Reader);
                reading.Fault.ShouldBeNull(file);
                reading.Records.Count.ShouldBe(1, file);
            }
    }

    [Fact(Explicit = true)]
    public async Task Every_invalid_text_is_refused_as_a_body_and_within_one()
    {
        foreach (var file in Files("n_"))
            foreach (var wrapping in Wrappings)
                (await BodyReading.OfEverySplitAsync(wrapping(await ReadAsync(file)), Reader)).Fault.ShouldNotBeNull(file);
    }

    [Fact(Explicit = true)]
    public async Task Every_text_that_parsers_differ_on_passes_or_is_refused_alike_in_every_split()
    {
        foreach (var file in Files("i_"))
            foreach (var wrapping in Wrappings)
                await BodyReading.OfEverySplitAsync(wrapping(await ReadAsync(file)), Reader);
    }

    private static RecordReader Reader(Stream body) => new JsonRecordReader(body, new IntakeOptions());

    private static Task<byte[]> ReadAsync(string file) => File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);

    private static string[] Files(string prefix)
    {
        var folder = Environment.GetEnvironmentVariable("JSON_TEST_SUITE").ShouldNotBeNull("Set JSON_TEST_SUITE to a checkout of github.com/nst/JSONTestSuite.");
        var files = Directory.GetFiles(Path.Combine(folder, "test_parsing"), $"{prefix}*.json");
        files.ShouldNotBeEmpty();
        return files;
    }
}
