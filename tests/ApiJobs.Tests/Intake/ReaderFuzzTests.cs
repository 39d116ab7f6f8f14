using System.Text;
using ApiJobs.Intake;
using CsCheck;

namespace ApiJobs.Tests.Intake;

public sealed class ReaderFuzzTests
{
    private static readonly IntakeOptions Options = new() { MaxRecordBytes = 64, MaxDepth = 4, MaxRecords = 6 };

    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ":", ",", "\"", "\\", "\n", "\r", "\r\n", "\t", " ", "a", "b.c", "\"a\"", "{\"a\":1}", "{}", "\"records\"", "é", "😀", "0", "-1e5",
        "true", "nul", "\\u00", "\\N", "\0", "\uFEFF", "\"\"", ",\n", "x,y\n", "\"x\ny\",z\n", new('x', 30), new(' ', 40),
    ];

    private static readonly Gen<byte[]> Body = Gen.OneOf(
            Gen.OneOf(Pieces).Select(piece => Encoding.UTF8.GetBytes(piece)),
            Gen.Byte.Select(one => new[] { one })).Array[0, 30]
        .Select(Gen.OneOf("", "[", "{\"records\":[", "{}\n", "a,b\n"), (pieces, head) => (byte[])[.. Encoding.UTF8.GetBytes(head), .. pieces.SelectMany(piece => piece)]);

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/x-ndjson")]
    [InlineData("text/csv")]
    public void Any_bytes_give_the_same_records_and_the_same_fault_in_every_split(string format) =>
        Gen.Select(Body, Gen.Int[1, 40].Array[1, 20]).Sample((body, readBytes) =>
        {
            var whole = Read(format, body, int.MaxValue);
            var split = Read(format, body, readBytes);
            split.Fault.ShouldBe(whole.Fault);
            split.Records.ShouldBe(whole.Records);
        }, iter: 10_000);

    private static BodyReading Read(string format, byte[] body, params int[] readBytes) =>
        BodyReading.OfAsync(RecordFormats.Open(format, new SplitStream(body, readBytes), Options)!).GetAwaiter().GetResult();
}
