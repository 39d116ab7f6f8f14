using System.IO.Compression;
using System.Text;
using System.Text.Json;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Intake;
using BenchmarkDotNet.Attributes;

namespace ApiJobs.MicroBenchmarks;

/// <summary>Cutting the records out of a body, in every format; figures are for each record.</summary>
[InProcess, MemoryDiagnoser]
public class ReadingRecords
{
    private const int Records = 10_000;

    private static readonly string[] Columns = ["id", "ref", "email", "notes", "postcode"];

    private readonly IntakeOptions _options = new();
    private byte[] _body = [];
    private string? _encoding;
    private string _contentType = "";

    /// <summary>The format of the body, and its encoding.</summary>
    [Params("application/json", "application/x-ndjson", "text/csv", "application/json, gzip", "application/json, br")]
    public string Body { get; set; } = "";

    /// <summary>Makes the body.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var parts = Body.Split(", ");
        (_contentType, _encoding) = (parts[0], parts.Length > 1 ? parts[1] : null);
        _body = Encode(_contentType switch
        {
            "text/csv" => MakeCsv(),
            "application/x-ndjson" => Make(BodyFormat.Ndjson),
            _ => Make(BodyFormat.Json),
        });
    }

    /// <summary>Reads the body to its end.</summary>
    [Benchmark(OperationsPerInvoke = Records)]
    public async Task<long> Read()
    {
        await using var body = ContentEncodings.Open(_encoding, new MemoryStream(_body), _options)!;
        await using var reader = RecordFormats.Open(_contentType, body, _options)!;
        var bytes = 0L;
        while (await reader.ReadAsync(CancellationToken.None))
            bytes += reader.Current.Length;
        return bytes;
    }

    private static byte[] Make(BodyFormat format)
    {
        var generator = new CaseGenerator(seed: 1);
        using var stream = new MemoryStream();
        using var body = new BulkBody(format, (count, _) => count >= Records, (writer, record) => generator.WriteCase(writer, record));
        body.WriteToAsync(stream, CancellationToken.None).GetAwaiter().GetResult();
        return stream.ToArray();
    }

    private static byte[] MakeCsv()
    {
        var csv = new StringBuilder().AppendJoin(',', Columns).Append("\r\n");
        using var cases = JsonDocument.Parse(Make(BodyFormat.Json));
        foreach (var record in cases.RootElement.EnumerateArray())
            csv.AppendJoin(',', Columns.Select(name => Cell(record, name))).Append("\r\n");
        return Encoding.UTF8.GetBytes(csv.ToString());

        static string Cell(JsonElement record, string name) =>
            record.TryGetProperty(name, out var value) ? $"\"{value.ToString().Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : "";
    }

    private byte[] Encode(byte[] bytes)
    {
        if (_encoding is null)
            return bytes;
        using var encoded = new MemoryStream();
        using (Stream encoder = _encoding == "gzip" ? new GZipStream(encoded, CompressionLevel.Fastest) : new BrotliStream(encoded, CompressionLevel.Fastest))
            encoder.Write(bytes);
        return encoded.ToArray();
    }
}
