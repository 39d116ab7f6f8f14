using System.Text;
using ApiJobs.Intake;

namespace ApiJobs.Tests.Intake;

/// <summary>What came of reading a body: its records, and the fault that ended it, if one did.</summary>
internal sealed record BodyReading(IReadOnlyList<string> Records, RequestFault? Fault)
{
    /// <summary>Reads a body as it arrives at once, in single bytes and in a hundred other splits, and asserts that all come to the same.</summary>
    public static async Task<BodyReading> OfEverySplitAsync(byte[] body, Func<Stream, RecordReader> read)
    {
        var expected = await OfAsync(read(new SplitStream(body, int.MaxValue)));
        (await OfAsync(read(new SplitStream(body, 1)))).ShouldBeSameAs(expected, "reads of one byte");
        for (var seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            var sizes = Enumerable.Range(0, 50).Select(_ => random.Next(1, 1 + random.Next(1, Math.Min(4_096, body.Length + 2)))).ToArray();
            (await OfAsync(read(new SplitStream(body, sizes)))).ShouldBeSameAs(expected, $"split seed {seed}");
        }
        return expected;
    }

    public static async Task<BodyReading> OfAsync(RecordReader reader)
    {
        var records = new List<string>();
        await using (reader)
        {
            try
            {
                while (await reader.ReadAsync(TestContext.Current.CancellationToken))
                    records.Add(Encoding.UTF8.GetString(reader.Current.Span));
                return new BodyReading(records, null);
            }
            catch (RequestFaultException exception)
            {
                return new BodyReading(records, exception.Fault);
            }
        }
    }

    private void ShouldBeSameAs(BodyReading expected, string split)
    {
        Fault.ShouldBe(expected.Fault, split);
        Records.ShouldBe(expected.Records, split);
    }
}
