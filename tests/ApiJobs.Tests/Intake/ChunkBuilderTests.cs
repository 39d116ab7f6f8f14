using ApiJobs.Intake;
using ApiJobs.Records;

namespace ApiJobs.Tests.Intake;

public sealed class ChunkBuilderTests
{
    private static readonly IntakeOptions Options = new() { ChunkBytes = 1_024, ChunkRecords = 5 };

    [Fact]
    public void A_chunk_takes_a_record_that_just_fits_its_bytes_and_not_one_that_is_a_byte_longer()
    {
        var chunks = new ChunkBuilder(Options);
        chunks.Add(new byte[500]);
        var room = Options.ChunkBytes - 500 - (2 * ChunkPayload.PrefixBytes);

        chunks.IsFullFor(new byte[room + 1]).ShouldBeTrue();
        chunks.IsFullFor(new byte[room]).ShouldBeFalse();
        chunks.Add(new byte[room]);

        chunks.Close().Payload.Length.ShouldBe(Options.ChunkBytes);
    }

    [Fact]
    public void A_record_larger_than_a_chunk_has_one_of_its_own()
    {
        var chunks = new ChunkBuilder(Options);

        chunks.IsFullFor(new byte[5_000]).ShouldBeFalse();
        chunks.Add(new byte[5_000]);
        chunks.IsFullFor(ReadOnlyMemory<byte>.Empty).ShouldBeTrue();
    }

    [Fact]
    public void A_chunk_takes_no_more_than_its_number_of_records()
    {
        var chunks = new ChunkBuilder(Options);
        for (var record = 0; record < Options.ChunkRecords; record++)
        {
            chunks.IsFullFor(new byte[2]).ShouldBeFalse();
            chunks.Add(new byte[2]);
        }

        chunks.IsFullFor(new byte[2]).ShouldBeTrue();
    }

    [Fact]
    public void A_chunk_with_lines_keeps_its_bound_of_bytes_and_its_lines()
    {
        var chunks = new ChunkBuilder(Options);
        var closed = new List<ReadOnlyMemory<byte>>();
        long[] lines = [2, 3, 7, 8, 20, 21, 400];
        foreach (var line in lines)
        {
            if (chunks.IsFullFor(new byte[300], line))
                closed.Add(chunks.Close().Payload.ToArray());
            chunks.Add(new byte[300], line);
        }

        closed.Add(chunks.Close().Payload.ToArray());
        closed.ShouldAllBe(payload => payload.Length <= Options.ChunkBytes);
        closed.SelectMany(payload => ChunkPayload.SplitWithLines(payload)).Select(record => record.Line!.Value).ShouldBe(lines);
    }

    [Fact]
    public void Chunks_follow_one_another_without_a_gap()
    {
        var chunks = new ChunkBuilder(Options);
        var closed = new List<(int Index, long FirstRecord, int RecordCount)>();
        for (var record = 0; record < 12; record++)
        {
            if (chunks.IsFullFor(new byte[2]))
                Close();
            chunks.Add(new byte[2]);
        }

        Close();
        closed.ShouldBe([(0, 0, 5), (1, 5, 5), (2, 10, 2)]);
        chunks.TotalRecords.ShouldBe(12);

        void Close()
        {
            var chunk = chunks.Close();
            closed.Add((chunk.Index, chunk.FirstRecord, chunk.RecordCount));
        }
    }
}
