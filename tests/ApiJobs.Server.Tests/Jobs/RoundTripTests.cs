using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ApiJobs.AspNetCore.Jobs;
using ApiJobs.Intake;
using ApiJobs.Records;
using CsCheck;

namespace ApiJobs.Server.Tests.Jobs;

/// <summary>Records that went out as a table and came back are the records that went out.</summary>
public sealed class RoundTripTests
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // What spreadsheets run, what CSV quotes, what means something to the reader, and apostrophes before all of it.
    private static readonly Gen<string> Texts = Gen.OneOf(
        AnyOf("", "'", "''", "\\N", "'\\N", "''\\N", "=1+1", "'=1", "''=1", "+", "-5", "@x", "\tx", "'\tx", "\r", "'\r\n", " ", " a ", "\"", "\"\"", "'\"", "a,b", "\n", "x\r\ny", "\uFEFF", "é", "\U0001F600", "_x", "{}", "null"),
        Gen.String[AnyOf('\'', '=', '+', '-', '@', '\t', '\r', '\n', '"', ',', '\\', 'N', 'a', ' ', ';'), 0, 6]);

    private static readonly Gen<string?> Values = Gen.Frequency((5, Texts.Select(text => (string?)text)), (1, Gen.Const((string?)null)));

    private static readonly Gen<(string Name, string? Value)[]> Members =
        Gen.Select(AnyOf("id", "ref", "notes", "=sum", "-a", "'b", "with space", "q\"uote", "meta.a", "meta.b.c", "meta.=x", "meta.\"", "é", "_own", "'_own", "_index", "_meta.a", "a;b;c;d;e;f;g;h;i", "a\tb\tc\td\te\tf\tg\th\ti", "\uFEFFx"), Values).Array[0, 8];

    [Fact]
    public void Any_records_that_are_exported_as_CSV_and_sent_back_are_the_same() =>
        Members.Array[1, 6].Sample(
            members =>
            {
                var records = Array.ConvertAll(members, Record);
                return Returned(Exported(records, isRaw: false)).SequenceEqual(records.Select(Text));
            },
            iter: 5_000, print: members => string.Join('\n', members.Select(record => Text(Record(record)))));

    [Fact]
    public void No_cell_of_an_export_begins_with_what_a_spreadsheet_runs() =>
        Members.Array[1, 6].Sample(
            members => CellsOf(Exported(Array.ConvertAll(members, Record), isRaw: false)).All(cell => cell.Length == 0 || !"=+-@\t\r".Contains(cell[0])),
            iter: 2_000);

    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("'=1+1", "''=1+1")]
    [InlineData("it's", "it's")]
    [InlineData("'quoted'", "'quoted'")]
    [InlineData("", "'")]
    [InlineData("\\N", "'\\N")]
    [InlineData("1-2", "1-2")]
    public void An_apostrophe_stands_only_where_one_is_needed(string text, string cell)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        (SpreadsheetText.NeedsApostrophe(utf8, "\\N"u8) ? $"'{text}" : text).ShouldBe(cell);
        Encoding.UTF8.GetString(SpreadsheetText.WithoutApostrophe(Encoding.UTF8.GetBytes(cell), "\\N"u8)).ShouldBe(text);
    }

    [Fact]
    public void Columns_of_the_requests_own_are_told_from_those_that_the_table_adds() =>
        Exported([new JsonObject { ["_index"] = "mine", ["a;b"] = "" }], isRaw: false).ShouldStartWith("'_index,\"a;b\",_index,_outcome,_code,_field,_message\r\nmine,',0,");

    [Fact]
    public void A_raw_table_has_the_texts_as_they_are() =>
        Exported([new JsonObject { ["a"] = "=1", ["b"] = "'", ["c"] = null }], isRaw: true).ShouldStartWith("a,b,c,_index,_outcome,_code,_field,_message\r\n=1,',\\N,0,");

    private static Gen<T> AnyOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    private static JsonObject Record((string Name, string? Value)[] members)
    {
        var record = new JsonObject();
        foreach (var (name, value) in members)
        {
            var dot = name.IndexOf('.', StringComparison.Ordinal);
            var holder = record;
            if (dot > 0)
                record[name[..dot]] = holder = record[name[..dot]] as JsonObject ?? [];
            holder = dot > 0 ? (JsonObject)record[name[..dot]]! : record;
            holder[name[(dot + 1)..]] = value;
        }

        return record;
    }

    // A table has one order of columns for all: so the members' order is not compared.
    private static string Text(JsonObject record) => new JsonObject(
        record.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => KeyValuePair.Create(member.Key, member.Value is JsonObject map
            ? JsonNode.Parse(Text(map))
            : member.Value?.DeepClone()))).ToJsonString(Readable);

    private static string Exported(JsonObject[] records, bool isRaw)
    {
        var search = new RecordColumns.Search();
        var results = records.Select((record, index) => new RecordResult(
            index, "=key", RecordOutcome.Failed, [new("code", "=message, \"quoted\"", "/meta/a")], 0)
        { Json = Encoding.UTF8.GetBytes(record.ToJsonString()) }).ToList();
        results.ForEach(record => search.Add(record.Json.Span));
        using var writer = new CsvRecordsWriter(search.End(), "\\N", isRaw);
        var output = new ArrayBufferWriter<byte>();
        writer.Begin(output);
        results.ForEach(record => writer.Write(output, record));
        writer.End(output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static List<string> Returned(string table)
    {
        var records = new List<string>();
        using var body = new MemoryStream(Encoding.UTF8.GetBytes(table));
        var reader = RecordFormats.Open("text/csv", body, new IntakeOptions(), isCorrection: true)!;
        while (reader.ReadAsync(default).AsTask().GetAwaiter().GetResult())
            records.Add(Text((JsonObject)JsonNode.Parse(reader.Current.Span)!));
        return records;
    }

    /// <summary>The cells as another program would read them.</summary>
    private static IEnumerable<string> CellsOf(string table)
    {
        using var body = new MemoryStream(Encoding.UTF8.GetBytes(table));
        var reader = RecordFormats.Open("text/csv", body, new IntakeOptions { CsvClearToken = "" })!;
        while (reader.ReadAsync(default).AsTask().GetAwaiter().GetResult())
        {
            foreach (var (name, value) in (JsonObject)JsonNode.Parse(reader.Current.Span)!)
            {
                yield return name;
                foreach (var cell in value is JsonObject map ? map.Select(entry => entry.Value!) : [value!])
                    yield return cell.GetValue<string>();
            }
        }
    }
}
