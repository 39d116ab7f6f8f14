using System.IO.Compression;
using ApiJobs.Intake;

namespace ApiJobs.Tests.Intake;

public sealed class IntakeOptionsTests
{
    /// <summary>What is sent is stored: a few requests at their limits must not fill an ordinary disk.</summary>
    [Fact]
    public void By_default_ten_requests_at_their_limits_fit_a_small_disk()
    {
        var options = new IntakeOptions();

        (10 * Math.Max(options.MaxBodyBytes, options.MaxDecompressedBytes)).ShouldBeLessThanOrEqualTo(10L << 30);
        options.MaxRecords.ShouldBeGreaterThanOrEqualTo(1_000_000);
    }

    /// <summary>By 130 to 1, three megabytes would fill four hundred.</summary>
    [Fact]
    public async Task By_default_text_that_was_written_to_fill_the_disk_is_stopped_while_it_is_read()
    {
        var record = System.Text.Encoding.UTF8.GetBytes(string.Concat(
            Enumerable.Range(0, 100).Select(index => $"{{\"id\":\"{index:x8}-917d-4cbc-939e-7ea48cffca69\",\"notes\":\"{new string('x', 600)}\"}}\n")));
        using var sent = new MemoryStream();
        using (var gzip = new GZipStream(sent, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            for (var part = 0; part < 1_000; part++)
                gzip.Write(record);
        }

        var ratio = 1_000.0 * record.Length / sent.Length;
        ratio.ShouldBeInRange(100, 200);
        await using var body = ContentEncodings.Open("gzip", new SplitStream(sent.ToArray(), 8_192), new IntakeOptions())!;
        var reading = await BodyReading.OfAsync(new NdjsonRecordReader(body, new IntakeOptions()));

        reading.Fault.ShouldNotBeNull().Code.ShouldBe(RequestFaultCodes.BodyTooLarge);
        reading.Records.Sum(text => (long)text.Length).ShouldBeLessThan(10 << 20);
    }
}
