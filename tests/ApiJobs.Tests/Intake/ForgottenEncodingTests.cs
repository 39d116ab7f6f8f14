using ApiJobs.Intake;

namespace ApiJobs.Tests.Intake;

public sealed class ForgottenEncodingTests
{
    [Theory]
    [InlineData("application/json")]
    [InlineData("application/x-ndjson")]
    [InlineData("text/csv")]
    public async Task A_gzip_body_without_its_header_is_recognised_in_every_format(string mediaType)
    {
        byte[] body = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0x8B, 0x8E, 5, 0];

        var reading = await BodyReading.OfEverySplitAsync(body, stream => RecordFormats.Open(mediaType, stream, new IntakeOptions())!);

        var fault = reading.Fault.ShouldNotBeNull();
        (fault.Code, fault.ByteOffset).ShouldBe((RequestFaultCodes.InvalidEncoding, 0));
        fault.Detail.ShouldBe("The body is gzip data where text should be. If it was compressed on purpose, say so with `Content-Encoding: gzip`, once for each time.");
    }
}
