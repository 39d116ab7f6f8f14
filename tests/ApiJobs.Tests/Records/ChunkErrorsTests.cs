using System.Text;
using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Resources;

namespace ApiJobs.Tests.Records;

/// <summary>What is stored of a chunk's errors stays in proportion to what was sent, however wrong it is.</summary>
public sealed class ChunkErrorsTests
{
    private static readonly Resource Things = new("thing", "Thing", "things",
    [
        .. "customer_case_id,title,first_names,middle_names,last_name,gender,date_of_birth,marital_status,occupation,email,tel_1,tel_2,address_1,address_2,postcode"
            .Split(',').Select(name => Field.Text(name, maxLength: 100)),
    ]);

    [Theory]
    [InlineData("twenty unknown fields, the same")]
    [InlineData("twenty unknown fields, all different")]
    [InlineData("one unknown field, all different")]
    [InlineData("no key")]
    [InlineData("a short key, all different")]
    [InlineData("a long name")]
    public void Errors_take_no_more_than_a_few_times_the_bytes_sent(string kind)
    {
        Func<int, string> record = kind switch
        {
            "twenty unknown fields, the same" => _ => Record(20, number => $"{(char)('a' + number)}"),
            "twenty unknown fields, all different" => index => Record(20, number => $"{(char)('a' + number)}{index % 1_000:x}"),
            "one unknown field, all different" => index => Record(1, _ => $"{index % 1_000:x}"),
            "no key" => _ => "{}",
            "a short key, all different" => index => $$"""{"id":"{{index % 1_000:x}}"}""",
            _ => index => Record(1, _ => $"{index}" + new string('n', 900)),
        };
        var (sent, stored) = (0L, 0L);
        for (var chunk = 0; chunk < 5; chunk++)
        {
            var failures = Enumerable.Range(chunk * 1_000, 1_000).Select(index => Failed(index, record(index))).ToList();
            sent += Enumerable.Range(chunk * 1_000, 1_000).Sum(index => Encoding.UTF8.GetByteCount(record(index)) + ChunkPayload.PrefixBytes);
            var errors = ChunkErrors.Write(failures);
            stored += errors.Length;

            var read = ChunkErrors.Read(errors);
            read.Select(failed => failed.Index).ShouldBe(failures.Select(failed => failed.Index));
            foreach (var (kept, failed) in read.Zip(failures))
                kept.Errors.ShouldBe(failed.Errors.Take(kept.Errors.Count));
        }

        TestContext.Current.SendDiagnosticMessage("{0}: {1:N0} bytes sent, {2:N0} bytes of errors stored, ratio {3:F2}", kind, sent, stored, (double)stored / sent);
        ((double)stored / sent).ShouldBeLessThan(4, kind);
    }

    [Fact]
    public void Beyond_the_bound_of_a_chunk_every_record_keeps_its_first_error()
    {
        var failures = Enumerable.Range(0, 1_000)
            .Select(index => new FailedRecord(index, null, [.. Enumerable.Range(0, 20).Select(error => new RecordError("wrong", new('m', 400), $"/{error}"))]))
            .ToList();

        var read = ChunkErrors.Read(ChunkErrors.Write(failures));

        read.Count.ShouldBe(1_000);
        read[0].Errors.Count.ShouldBe(20);
        read[^1].Errors.ShouldBe([failures[^1].Errors[0]]);
        read.Sum(failed => failed.Errors.Sum(error => error.Message.Length)).ShouldBeLessThan(2 * ChunkErrors.MaxLength);
    }

    private static string Record(int fields, Func<int, string> name) =>
        $"{{{string.Join(',', Enumerable.Range(0, fields).Select(number => $"\"{name(number)}\":1"))}}}";

    private static FailedRecord Failed(int index, string json)
    {
        var record = new JobRecord(Guid.CreateVersion7(), index, Encoding.UTF8.GetBytes(json));
        new ResourceOperation(Things, ResourceVerb.Update, new([Things])).Prepare(record, JobOptions.None);
        record.Outcome.ShouldBe(RecordOutcome.Failed);
        return new(record.Index, record.Key, record.Errors);
    }
}
