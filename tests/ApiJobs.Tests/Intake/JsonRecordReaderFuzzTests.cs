using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using ApiJobs.Intake;
using CsCheck;

namespace ApiJobs.Tests.Intake;

public sealed class JsonRecordReaderFuzzTests
{
    private static readonly IntakeOptions Options = new() { MaxDepth = 5 };

    private static readonly string[] Scalars =
        ["1", "-0.5e3", "1e400", "true", "false", "null", "\"\"", "\"a\\\"]},{\"", "\"\\ud800\"", "\"\\u0000\"", "\"é😀\"", "\"x\\\\\""];

    private static readonly Gen<string> Value = Gen.Recursive<string>((depth, value) => depth == 3
        ? Gen.OneOf(Scalars)
        : Gen.OneOf(
            Gen.OneOf(Scalars),
            value.Array[0, 3].Select(items => $"[{string.Join(" , ", items)}]"),
            value.Array[0, 3].Select(items => $"{{{string.Join(",", items.Select((item, index) => $"\"m{index}\" : {item}"))}}}")));

    private static readonly Gen<string> Body = Gen.Select(
        Value.Select(value => $"{{\"a\":{value}}}").Array[1, 5], Gen.OneOf(",", " ,\n", "\t, "), Gen.Bool,
        (records, comma, isWrapped) => isWrapped ? $"{{ \"records\":[ {string.Join(comma, records)} ]}}\n" : $"[{string.Join(comma, records)}]");

    private static readonly Gen<byte[]> DamagedBody = Gen.Select(
        Body, Gen.Select(Gen.Double.Unit, Gen.Int[0, 2], Gen.OneOf(Gen.Byte, Gen.OneOf("{}[],:\"\\ 0-etn\n"u8.ToArray()))).Array[0, 3],
        (body, damages) =>
        {
            var bytes = Encoding.UTF8.GetBytes(body).ToList();
            foreach (var (place, kind, with) in damages)
            {
                var index = (int)(place * bytes.Count);
                if (kind == 0) bytes.Insert(index, with);
                else if (bytes.Count > 1 && kind == 1) bytes.RemoveAt(index);
                else bytes[index] = with;
            }
            return bytes.ToArray();
        });

    [Fact]
    public void A_damaged_body_is_read_exactly_if_a_document_parser_reads_it_and_the_same_in_every_split() =>
        Gen.Select(DamagedBody, Gen.Int[1, 40].Array[1, 20]).Sample((body, readBytes) =>
        {
            var whole = Read(body, int.MaxValue);
            var split = Read(body, readBytes);

            split.Fault.ShouldBe(whole.Fault);
            split.Records.ShouldBe(whole.Records);
            if (whole.Fault is null) whole.Records.ShouldBe(RecordsOf(body));
            else RecordsOf(body).ShouldBeNull(whole.Fault.Detail);
        }, iter: 20_000);

    private static BodyReading Read(byte[] body, params int[] readBytes) =>
        BodyReading.OfAsync(new JsonRecordReader(new SplitStream(body, readBytes), Options)).GetAwaiter().GetResult();

    /// <summary>The records by the framework's document parser; null if the body is not a list of at least one.</summary>
    private static string[]? RecordsOf(byte[] body)
    {
        if (!Utf8.IsValid(body)) return null;
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = Options.MaxDepth });
            var list = document.RootElement;
            if (list.ValueKind == JsonValueKind.Object)
            {
                if (list.EnumerateObject().Count() != 1 || !list.TryGetProperty("records", out list)) return null;
            }
            if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0) return null;
            return list.EnumerateArray().All(record => record.ValueKind == JsonValueKind.Object)
                ? [.. list.EnumerateArray().Select(record => record.GetRawText())]
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
