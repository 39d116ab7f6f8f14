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

    [Theory]
    [InlineData(new byte[] { 5, 0, 0, 0, (byte)'{' })]
    [InlineData(new byte[] { 1, 0, 0 })]
    [InlineData(new byte[] { 255, 255, 255, 255, 0 })]
    public void A_damaged_payload_is_noticed(byte[] payload) =>
        Should.Throw<InvalidDataException>(() => ChunkPayload.Split(payload).Count());
}
