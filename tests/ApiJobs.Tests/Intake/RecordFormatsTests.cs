using ApiJobs.Intake;

namespace ApiJobs.Tests.Intake;

public sealed class RecordFormatsTests
{
    [Theory]
    [InlineData("application/json", typeof(JsonRecordReader))]
    [InlineData("Application/JSON; charset=UTF-8", typeof(JsonRecordReader))]
    [InlineData("application/json;charset=\"utf-8\"", typeof(JsonRecordReader))]
    [InlineData("application/x-ndjson", typeof(NdjsonRecordReader))]
    [InlineData("application/jsonl", typeof(NdjsonRecordReader))]
    [InlineData("text/csv", typeof(CsvRecordReader))]
    [InlineData("text/csv; charset=utf-8; header=present", typeof(CsvRecordReader))]
    public async Task A_media_type_has_its_reader(string contentType, Type reader)
    {
        await using var opened = RecordFormats.Open(contentType, Stream.Null, new IntakeOptions()).ShouldNotBeNull();
        opened.ShouldBeOfType(reader);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("json")]
    [InlineData("application/xml")]
    [InlineData("application/problem+json")]
    [InlineData("application/json; charset=iso-8859-1")]
    [InlineData("text/csv; charset=utf-16")]
    [InlineData("text/csv; header=absent")]
    [InlineData("text/csv, application/json")]
    public void Any_other_media_type_has_none(string? contentType) =>
        RecordFormats.Open(contentType, Stream.Null, new IntakeOptions()).ShouldBeNull();

    [Fact]
    public async Task Every_media_type_that_is_listed_has_a_reader()
    {
        foreach (var mediaType in RecordFormats.MediaTypes)
            await RecordFormats.Open(mediaType, Stream.Null, new IntakeOptions()).ShouldNotBeNull().DisposeAsync();
    }
}
