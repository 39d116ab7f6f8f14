using System.Buffers;
using System.Text;
using ApiJobs.Records;
using CsCheck;

namespace ApiJobs.Tests.Records;

public sealed class ChunkPayloadTests
{
    [Fact]
    public void What_was_appended_comes_out_again_in_order() =>
        Gen.String.Array[0, 50].Sample(
            texts =>
            {
                var payload = new ArrayBufferWriter<byte>();
                foreach (var text in texts)
                    ChunkPayload.Append(payload, Encoding.UTF8.GetBytes(text));
                var expected = texts.Select(text => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)));
                return ChunkPayload.Split(payload.WrittenMemory).Select(record => Encoding.UTF8.GetString(record.Span)).SequenceEqual(expected);
            },
            iter: 500);

    [Fact]
    public void Notes_of_lines_and_columns_stand_between_records_and_change_none()
    {
        var payload = new ArrayBufferWriter<byte>();
        ChunkPayload.AppendColumns(payload, ["id", "meta.\u00E9", "\""]);
        ChunkPayload.AppendLine(payload, 2);
        ChunkPayload.Append(payload, "{}"u8);
        ChunkPayload.Append(payload, "{ }"u8);
        ChunkPayload.AppendLine(payload, 5_000_000_000);
        ChunkPayload.Append(payload, "{}"u8);

        ChunkPayload.Split(payload.WrittenMemory).Select(record => record.Length).ShouldBe([2, 3, 2]);
        ChunkPayload.SplitWithLines(payload.WrittenMemory).Select(record => record.Line).ShouldBe([2, 3, 5_000_000_000]);
        ChunkPayload.Columns(payload.WrittenMemory).ShouldBe(["id", "meta.\u00E9", "\""]);
    }

    [Fact]
    public void A_payload_from_before_there_were_notes_has_no_lines_and_no_columns()
    {
        var payload = new ArrayBufferWriter<byte>();
        ChunkPayload.Append(payload, "{}"u8);
        ChunkPayload.Append(payload, "{}"u8);

        ChunkPayload.SplitWithLines(payload.WrittenMemory).Select(record => record.Line).ShouldBe([null, null]);
        ChunkPayload.Columns(payload.WrittenMemory).ShouldBeNull();
    }

    [Fact]
    public void A_note_of_a_later_version_is_passed_over()
    {
        byte[] later = [0xFD, 0xFF, 0xFF, 0xFF, 99, 1, 2];
        var payload = new ArrayBufferWriter<byte>();
        payload.Write(later);
        ChunkPayload.Append(payload, "{}"u8);

        ChunkPayload.Split(payload.WrittenMemory).Count().ShouldBe(1);
    }

    [Theory]
    [InlineData(new byte[] { 5, 0, 0, 0, (byte)'{' })]
    [InlineData(new byte[] { 1, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 128, 1 })]
    [InlineData(new byte[] { 254, 255, 255, 255, 1 })]
    [InlineData(new byte[] { 255, 255, 255, 255, 0 })]
    public void A_damaged_payload_is_noticed(byte[] payload) =>
        Should.Throw<InvalidDataException>(() => ChunkPayload.Split(payload).Count());
}
