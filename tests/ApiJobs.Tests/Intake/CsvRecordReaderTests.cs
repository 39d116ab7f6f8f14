using System.Text;
using System.Text.Json.Nodes;
using ApiJobs.Intake;

namespace ApiJobs.Tests.Intake;

public sealed class CsvRecordReaderTests
{
    private static readonly IntakeOptions Small = new() { MaxRecordBytes = 100, MaxRecords = 3 };

    public static TheoryData<string, string[]> Bodies => new()
    {
        { "a,b\n1,2\n3,4\n", ["""{"a":"1","b":"2"}""", """{"a":"3","b":"4"}"""] },
        { "a,b\r\n1,2\r\n3,4", ["""{"a":"1","b":"2"}""", """{"a":"3","b":"4"}"""] },
        { "a,b\r\n1,2\n3,4\r", ["""{"a":"1","b":"2"}""", """{"a":"3","b":"4"}"""] },
        { "\uFEFFa\n1\n", ["""{"a":"1"}"""] },
        { "\n\r\na\n\n1\n\r\n", ["""{"a":"1"}"""] },
        { "a,b\n\"1,\"\"x\"\"\n\",\"\"\n", ["""{"a":"1,\"x\"\n"}"""] },
        { "a\n\"1\r\n2\"\r\n\"\"\"\"", ["""{"a":"1\r\n2"}""", """{"a":"\""}"""] },
        { "\"a\rx\",\"b,\"\"y\"\"\"\n1,2\n3,4\n", ["""{"a\rx":"1","b,\"y\"":"2"}""", """{"a\rx":"3","b,\"y\"":"4"}"""] },
        { "a,b,c\n,2,\n\\N,,\"\\N\"\n1\n", ["""{"b":"2"}""", """{"a":null,"c":null}""", """{"a":"1"}"""] },
        { "a,b\n,\n", ["{}"] },
        { "id,meta.colour,name,meta.size\n1,red,A,\n2,,B,\\N\n3,,C,\n", ["""{"id":"1","meta":{"colour":"red"},"name":"A"}""", """{"id":"2","meta":{"size":null},"name":"B"}""", """{"id":"3","name":"C"}"""] },
        { "meta.a.b,m\n1,2\n", ["""{"meta":{"a.b":"1"},"m":"2"}"""] },
        { "é\n😀<&>\u0001\u2028\0\n", ["{\"é\":\"\\uD83D\\uDE00<&>\\u0001\\u2028\\u0000\"}"] },
        { "a,b\n5\" nails,x\"\"y\n", ["""{"a":"5\" nails","b":"x\"\"y"}"""] },
        { "\"a;b;c\",d\n1,2\n", ["""{"a;b;c":"1","d":"2"}"""] },
        { "a\n1;2\n", ["""{"a":"1;2"}"""] },
        { "a\n 1 \n#2\n", ["""{"a":" 1 "}""", """{"a":"#2"}"""] },
        { "a\n" + new string('x', 92) + "\r\n1\n", ["{\"a\":\"" + new string('x', 92) + "\"}", """{"a":"1"}"""] },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_row_becomes_an_object_of_texts(string body, string[] records)
    {
        var reading = await ReadAsync(Encoding.UTF8.GetBytes(body));

        reading.Fault.ShouldBeNull();
        reading.Records.ShouldBe(records);
    }

    /// <summary>Bodies in Latin-1, the code of their fault, its offset, the index of its record, its line.</summary>
    public static TheoryData<string, string, long, long?, long?> Faults => new()
    {
        { "", RequestFaultCodes.MalformedBody, 0, null, null },
        { "ï»¿", RequestFaultCodes.MalformedBody, 3, null, null },
        { "\n\r\n", RequestFaultCodes.MalformedBody, 3, null, null },
        { "a,b", RequestFaultCodes.NoRecords, 3, null, null },
        { "a,b\n\n", RequestFaultCodes.NoRecords, 5, null, null },

        // The header.
        { "a,,c\n1,2,3\n", RequestFaultCodes.WrongShape, 2, null, 1 },
        { "a, \n1,2\n", RequestFaultCodes.WrongShape, 2, null, 1 },
        { "a,\n1,2\n", RequestFaultCodes.WrongShape, 2, null, 1 },
        { "\n\na,\"b\",\"b\"\n", RequestFaultCodes.WrongShape, 9, null, 3 },
        { "a.b,c,a.b\n", RequestFaultCodes.WrongShape, 6, null, 1 },
        { "a,a.b\n", RequestFaultCodes.WrongShape, 2, null, 1 },
        { "a.b,a\n", RequestFaultCodes.WrongShape, 4, null, 1 },
        { "a,.b\n", RequestFaultCodes.WrongShape, 2, null, 1 },
        { "a,b.\n", RequestFaultCodes.WrongShape, 2, null, 1 },
        { "a;b;c\n1;2;3\n", RequestFaultCodes.WrongShape, 0, null, 1 },
        { "\na\tb\n1\t2\n", RequestFaultCodes.WrongShape, 1, null, 2 },
        { "id;\"name, full\";x\n1;\"a, b\";2\n", RequestFaultCodes.WrongShape, 0, null, 1 },
        { "sep=;\na;b\n1;2\n", RequestFaultCodes.WrongShape, 0, null, 1 },

        // Quotes and rows.
        { "a,b\n1,\"2", RequestFaultCodes.MalformedBody, 6, 0, 2 },
        { "a,b\n1,\"", RequestFaultCodes.MalformedBody, 6, 0, 2 },
        { "a,b\n\"1\n\n\",\"2\"\"\n3,4\n", RequestFaultCodes.MalformedBody, 10, 0, 4 },
        { "a,\"b\n1,2\n", RequestFaultCodes.MalformedBody, 2, null, 1 },
        { "a,b\n1,2\n3,\"4\"x\n", RequestFaultCodes.MalformedBody, 13, 1, 3 },
        { "a,b\n1,\"2\n\" \n", RequestFaultCodes.MalformedBody, 10, 0, 3 },
        { "a,b\n1\r2,3\n", RequestFaultCodes.MalformedBody, 5, 0, 2 },
        { "a,b\r1,2\r", RequestFaultCodes.MalformedBody, 3, null, 1 },
        { "a,b\n1,2\n\n3,4,5\n", RequestFaultCodes.MalformedBody, 13, 1, 4 },
        { "a,b\n1,2,\n", RequestFaultCodes.MalformedBody, 8, 0, 2 },

        // Encodings.
        { "a,b\n1,2\n\"\n\",café\n", RequestFaultCodes.InvalidUtf8, 15, 1, 4 },
        { "a,b\n1,caf\u00c3", RequestFaultCodes.InvalidUtf8, 9, 0, 2 },
        { "ÿþa\0", RequestFaultCodes.InvalidUtf8, 0, null, 1 },
        { "a,b\nÿ,\"", RequestFaultCodes.InvalidUtf8, 4, 0, 2 },
        { "a,b\nÿ,\"1\"x", RequestFaultCodes.InvalidUtf8, 4, 0, 2 },
        { "a,b\n\"1\"ÿ", RequestFaultCodes.InvalidUtf8, 7, 0, 2 },

        // Limits.
        { "a\n1\n\n2\n3\n4\n", RequestFaultCodes.TooManyRecords, 9, 3, 6 },
        { "a\n1\n" + new string('x', 93) + "\n", RequestFaultCodes.RecordTooLarge, 4, 1, 3 },
        { "a\n1\n" + new string('x', 101) + "\n", RequestFaultCodes.RecordTooLarge, 4, 1, 3 },
        { "a\n1\n" + new string('x', 9_000), RequestFaultCodes.RecordTooLarge, 4, 1, 3 },
        { "a\n1\n\"" + new string('\n', 9_000), RequestFaultCodes.RecordTooLarge, 4, 1, 3 },
        { "a\n1\n" + new string(',', 9_000), RequestFaultCodes.RecordTooLarge, 4, 1, 3 },
        { "a\n1\n" + new string('x', 200) + "\r", RequestFaultCodes.RecordTooLarge, 4, 1, 3 },
        { "a\n1\n" + new string('x', 99) + "\rx", RequestFaultCodes.MalformedBody, 103, 1, 3 },
        { "a\n1\n" + new string('x', 100) + "\rx", RequestFaultCodes.RecordTooLarge, 4, 1, 3 },
        { "a\n1\nÿ" + new string('x', 200), RequestFaultCodes.InvalidUtf8, 4, 1, 3 },
        { "a\n1\n" + new string('x', 93) + "\nÿ\n", RequestFaultCodes.RecordTooLarge, 4, 1, 3 },
        { new string('a', 101) + "\n1\n", RequestFaultCodes.RecordTooLarge, 0, null, 1 },
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
    [InlineData("id,notes\n1,\"Call\n2,x\n",
        "The quote that opens at line 2, byte 11 of the body (record 0; bytes and records are counted from 0) is never closed; the body ends within it. Close it, and double each quote inside a cell; if the body was broken off on its way, send the whole request again.")]
    [InlineData("id,notes\n1,Leeds, LS1\n",
        "The row has 3 cells, but the header has 2; the first without a name is at line 2, byte 17 of the body (record 0; bytes and records are counted from 0). Put cells that hold commas in quotes, or name every column.")]
    [InlineData("id,notes,id\n",
        "Column 3 of the header, `id` at line 1, byte 9 of the body (counted from 0), has the name of a column before it. Give every column the name of a field, each once; `meta.colour` names a member of the map `meta`.")]
    [InlineData("id;ref;notes\n1;A;x\n",
        "The columns are separated by semicolons, as the header at line 1, byte 0 of the body (counted from 0) shows. Separate them by commas, and put cells that hold commas in quotes.")]
    [InlineData("id\tref\n1\tA\n",
        "The columns are separated by tabs, as the header at line 1, byte 0 of the body (counted from 0) shows. Separate them by commas, and put cells that hold commas in quotes.")]
    public async Task A_fault_says_what_is_wrong_and_what_to_do(string body, string detail) =>
        (await ReadAsync(Encoding.UTF8.GetBytes(body))).Fault!.Detail.ShouldBe(detail);

    [Fact]
    public async Task The_token_that_clears_is_configured()
    {
        var options = new IntakeOptions { CsvClearToken = "NULL" };
        var reading = await BodyReading.OfAsync(new CsvRecordReader(new SplitStream("a,b\nNULL,\\N\n"u8.ToArray(), 1), options));
        reading.Records.ShouldBe(["""{"a":null,"b":"\\N"}"""]);

        options.CsvClearToken = "";
        reading = await BodyReading.OfAsync(new CsvRecordReader(new SplitStream("a,b\nNULL,\n"u8.ToArray(), 1), options));
        reading.Records.ShouldBe(["""{"a":"NULL"}"""]);
    }

    public static TheoryData<string> Spectrum => [.. Directory.GetFiles(Path.Combine(SpectrumFolder, "csvs")).Select(file => Path.GetFileNameWithoutExtension(file)).Order()];

    /// <summary>csv-spectrum gives empty cells as empty texts; here they leave their field out.</summary>
    [Theory]
    [MemberData(nameof(Spectrum))]
    public async Task A_file_of_csv_spectrum_gives_the_objects_it_should(string name)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var body = await File.ReadAllBytesAsync(Path.Combine(SpectrumFolder, "csvs", name + ".csv"), cancellation);
        var json = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(SpectrumFolder, "json", name + ".json"), cancellation))!;
        // One file of the corpus has its only object without the list.
        var expected = json as JsonArray ?? [json];
        // And its telephone number is another than that of the CSV.
        if (name == "location_coordinates") json["Contact Phone Number"] = "2095257564";
        foreach (var record in expected)
            foreach (var empty in record!.AsObject().Where(member => (string?)member.Value == "").ToList())
                record.AsObject().Remove(empty.Key);

        var reading = await BodyReading.OfEverySplitAsync(body, stream => new CsvRecordReader(stream, new IntakeOptions()));

        reading.Fault.ShouldBeNull();
        reading.Records.Count.ShouldBe(expected.Count);
        foreach (var (record, wanted) in reading.Records.Zip(expected))
            JsonNode.DeepEquals(JsonNode.Parse(record), wanted).ShouldBeTrue($"{record} is not {wanted}");
    }

    private static string SpectrumFolder
    {
        get
        {
            var root = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(root.FullName, "ApiJobs.slnx"))) root = root.Parent.ShouldNotBeNull();
            return Path.Combine(root.FullName, "tests", "ApiJobs.Tests", "Intake", "corpus", "csv-spectrum");
        }
    }

    private static Task<BodyReading> ReadAsync(byte[] body) => BodyReading.OfEverySplitAsync(body, stream => new CsvRecordReader(stream, Small));
}
