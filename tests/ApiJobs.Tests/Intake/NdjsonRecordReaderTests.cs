using System.Text;
using ApiJobs.Intake;

namespace ApiJobs.Tests.Intake;

public sealed class NdjsonRecordReaderTests
{
    private static readonly IntakeOptions Small = new() { MaxRecordBytes = 100, MaxDepth = 4, MaxRecords = 3 };

    public static TheoryData<string, string[]> Bodies => new()
    {
        { "{\"a\":1}\n{\"b\":2}\n", ["{\"a\":1}", "{\"b\":2}"] },
        { "{\"a\":1}\n{\"b\":2}", ["{\"a\":1}", "{\"b\":2}"] },
        { "{\"a\":1}\r\n{\"b\":2}\r\n", ["{\"a\":1}", "{\"b\":2}"] },
        { "{\"a\":1}\r\n{\"b\":2}\n{}\r", ["{\"a\":1}", "{\"b\":2}", "{}"] },
        { "\n\r\n \t\n{}\n\n \n{}\n\n", ["{}", "{}"] },
        { " \t{ \"a\" : 1 } \t\r\n", ["{ \"a\" : 1 }"] },
        { "\uFEFF{}\n", ["{}"] },
        { "\uFEFF\n{}", ["{}"] },
        { "{\"a\":\"\\ud800\\u0000\\n\"}\n{\"é\":1e400}\n{\"a\":[[1]]}", ["{\"a\":\"\\ud800\\u0000\\n\"}", "{\"é\":1e400}", "{\"a\":[[1]]}"] },
        { "{\"a\":\"" + new string('x', 92) + "\"}\r\n{}\n", ["{\"a\":\"" + new string('x', 92) + "\"}", "{}"] },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_body_gives_its_records_exactly_as_sent(string body, string[] records)
    {
        var reading = await ReadAsync(Encoding.UTF8.GetBytes(body));

        reading.Fault.ShouldBeNull();
        reading.Records.ShouldBe(records);
    }

    /// <summary>Bodies in Latin-1, the code of their fault, its offset, the index of its record, its line.</summary>
    public static TheoryData<string, string, long, long?, long?> Faults => new()
    {
        { "", RequestFaultCodes.NoRecords, 0, null, null },
        { "\n \r\n", RequestFaultCodes.NoRecords, 4, null, null },
        { "ï»¿", RequestFaultCodes.NoRecords, 3, null, null },
        { "{}\n{\"a\":", RequestFaultCodes.MalformedBody, 8, 1, 2 },
        { "{}\n{\"a\":\n1}", RequestFaultCodes.MalformedBody, 8, 1, 2 },
        { "{}\n{\"a\":\"b\n\"}", RequestFaultCodes.MalformedBody, 10, 1, 2 },
        { "{}\n\n{'a':1}\n", RequestFaultCodes.MalformedBody, 5, 1, 3 },
        { "{}\n {\"a\":1,}\n", RequestFaultCodes.MalformedBody, 11, 1, 2 },
        { "{} {}\n", RequestFaultCodes.MalformedBody, 3, 0, 1 },
        { "{},\n{}\n", RequestFaultCodes.MalformedBody, 2, 0, 1 },
        { "{}\r{}\n", RequestFaultCodes.MalformedBody, 3, 0, 1 },
        { "{}\0\n", RequestFaultCodes.MalformedBody, 2, 0, 1 },
        { "nope\n", RequestFaultCodes.MalformedBody, 1, 0, 1 },
        { "{}\nï»¿{}\n", RequestFaultCodes.MalformedBody, 3, 1, 2 },
        { "[{}]\n", RequestFaultCodes.RecordNotObject, 0, 0, 1 },
        { "{}\n  12", RequestFaultCodes.RecordNotObject, 5, 1, 2 },
        { "{}\n\"a\"\n", RequestFaultCodes.RecordNotObject, 3, 1, 2 },
        { "{}\nnull\n", RequestFaultCodes.RecordNotObject, 3, 1, 2 },
        { "{}\r\n{\"a\":\"café\"}\r\n", RequestFaultCodes.InvalidUtf8, 13, 1, 2 },
        { "{}\n{\"a\":\"ÿ\",}\n", RequestFaultCodes.InvalidUtf8, 9, 1, 2 },
        { "{}\n{\"a\":\"ÿ", RequestFaultCodes.InvalidUtf8, 9, 1, 2 },
        { "{}\n\"ÿ\"\n", RequestFaultCodes.InvalidUtf8, 4, 1, 2 },
        { "{}\n{} ÿ\n", RequestFaultCodes.InvalidUtf8, 6, 1, 2 },
        { "ÿþ{\0}\0", RequestFaultCodes.InvalidUtf8, 0, 0, 1 },
        { "{}\n{\"a\":[[[[1]]]]}\n", RequestFaultCodes.TooDeep, 11, 1, 2 },
        { "{}\n{}\n\n{}\n{}\n", RequestFaultCodes.TooManyRecords, 10, 3, 5 },
        { "{}\n{\"a\":\"" + new string('x', 93) + "\"}\n", RequestFaultCodes.RecordTooLarge, 3, 1, 2 },
        { "{}\n{\"a\":\"" + new string('x', 93) + "\"}\r\n", RequestFaultCodes.RecordTooLarge, 3, 1, 2 },
        { "{}\n{\"a\":\"" + new string('x', 93) + "\"}", RequestFaultCodes.RecordTooLarge, 3, 1, 2 },
        { "{}\n" + new string(' ', 9_000) + "{}\n", RequestFaultCodes.RecordTooLarge, 3, 1, 2 },
        { "{}\nÿ" + new string(' ', 9_000) + "{}\n", RequestFaultCodes.InvalidUtf8, 3, 1, 2 },
        { "{}\n" + new string('x', 9_000), RequestFaultCodes.RecordTooLarge, 3, 1, 2 },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_fault_is_named_with_its_position(string body, string code, long byteOffset, long? recordIndex, long? line)
    {
        var fault = (await ReadAsync(Encoding.Latin1.GetBytes(body))).Fault.ShouldNotBeNull();

        (fault.Code, fault.ByteOffset, fault.RecordIndex, fault.Line).ShouldBe((code, byteOffset, recordIndex, line), fault.Detail);
        fault.Detail.Length.ShouldBeLessThan(400);
        fault.Detail.ShouldAllBe(letter => letter == '…' || (letter >= ' ' && letter <= '~'));
    }

    [Theory]
    [InlineData("{\"a\":1}\n{\"a\":1}{\"a\":2}\n",
        "The record is complete, but its line goes on at line 2, byte 15 of the body (record 1; bytes and records are counted from 0) with `{\"a\":2}`. Write one object a line, with nothing between the lines.")]
    [InlineData("[{\"a\":1},\n{\"a\":2}]\n",
        "Every line must be a JSON object, but at line 1, byte 0 of the body (record 0; bytes and records are counted from 0) stands `[{\"a\":1},`. Write one object a line, or send a JSON array as `application/json`.")]
    public async Task A_fault_says_what_is_wrong_and_what_to_do(string body, string detail) =>
        (await ReadAsync(Encoding.UTF8.GetBytes(body))).Fault!.Detail.ShouldBe(detail);

    private static Task<BodyReading> ReadAsync(byte[] body) => BodyReading.OfEverySplitAsync(body, stream => new NdjsonRecordReader(stream, Small));
}
