using System.Text.Json;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Resources;
using BenchmarkDotNet.Attributes;

namespace ApiJobs.MicroBenchmarks;

/// <summary>Parsing a record into its fields and checking it, before any row is touched; figures are for each record.</summary>
[InProcess, MemoryDiagnoser]
public class PreparingRecords
{
    private const int Records = 1_000;

    private static readonly Resource Cases = new("customer_case", label: "Case", path: "cases",
    [
        Field.Text("ref", maxLength: 100) with { IsUnique = true, IsFilter = true },
        Field.Map("meta", maxMembers: 100, maxLength: 1_000),
        Field.Text("email", maxLength: 320),
        Field.Text("notes", maxLength: 10_000),
        Field.Text("postcode", maxLength: 10),
        Field.Text("full_names", maxLength: 500),
        Field.Text("last_names", maxLength: 200),
        Field.Text("first_names", maxLength: 200),
    ]);

    private readonly ResourceOperation _create = new(Cases, ResourceVerb.Create, new([Cases]));
    private readonly ResourceOperation _update = new(Cases, ResourceVerb.Update, new([Cases]));
    private readonly Guid _job = new("0193a3c2-0000-7000-8000-00000000abcd");
    private ReadOnlyMemory<byte>[] _creates = [], _updates = [];

    /// <summary>Makes the records.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var generator = new CaseGenerator(seed: 1);
        _creates = Cut(BulkBody.Make(Records, (writer, record) => generator.WriteCase(writer, record)));
        _updates = Cut(BulkBody.Make(Records, (writer, record) => generator.WriteUpdate(writer, record, version: 1)));
    }

    /// <summary>Prepares whole cases.</summary>
    [Benchmark(OperationsPerInvoke = Records)]
    public void Creates() => Prepare(_create, _creates);

    /// <summary>Prepares updates of one field.</summary>
    [Benchmark(OperationsPerInvoke = Records)]
    public void Updates() => Prepare(_update, _updates);

    private void Prepare(ResourceOperation operation, ReadOnlyMemory<byte>[] records)
    {
        for (var index = 0; index < records.Length; index++)
            operation.Prepare(new JobRecord(_job, index, records[index]), JobOptions.None);
    }

    private static ReadOnlyMemory<byte>[] Cut(byte[] body)
    {
        using var records = JsonDocument.Parse(body);
        return [.. records.RootElement.EnumerateArray().Select(record => (ReadOnlyMemory<byte>)JsonSerializer.SerializeToUtf8Bytes(record))];
    }
}
