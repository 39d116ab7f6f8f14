using System.IO.Compression;
using System.Text;
using ApiJobs.Intake;

namespace ApiJobs.Tests.Intake;

public sealed class ContentEncodingsTests
{
    private static readonly byte[] Text = Encoding.UTF8.GetBytes(
        string.Concat(Enumerable.Range(0, 20_000).Select(index => $"{{\"id\":{index},\"notes\":\"{(index * 7_919) % 1_000_003:X}\"}}\n")));

    [Theory]
    [InlineData("gzip")]
    [InlineData("GZIP")]
    [InlineData("x-gzip")]
    [InlineData("br")]
    public async Task A_compressed_body_gives_what_was_compressed_in_every_split(string encoding)
    {
        foreach (var text in (byte[][])[[], [.. "x"u8], Text[..5_000], Text])
        {
            var body = Compress(encoding, text);
            foreach (var readBytes in (int[][])[[int.MaxValue], [1], [7], [1, 8_192, 3], [8_191, 2]])
                (await ReadAsync(encoding, body, readBytes)).ShouldBe(text);
        }
    }

    [Fact]
    public async Task Gzip_members_are_read_one_after_another()
    {
        byte[] body = [.. Gzip([]), .. Gzip(Text), .. Gzip([]), .. Gzip("x"u8.ToArray()), .. Gzip([])];
        foreach (var readBytes in (int[][])[[int.MaxValue], [1], [13, 8_192]])
            (await ReadAsync("gzip", body, readBytes)).ShouldBe([.. Text, (byte)'x']);
    }

    [Fact]
    public async Task A_gzip_header_may_have_all_its_parts()
    {
        var plain = Gzip(Text);
        byte[] body = [.. plain[..3], 0x1F, .. plain[4..10], 3, 0, 1, 2, 3, .. "name\0"u8, .. "comment\0"u8, 9, 9, .. plain[10..]];
        (await ReadAsync("gzip", body, 1)).ShouldBe(Text);
        for (var cut = 1; cut < 40; cut++) (await FaultAsync("gzip", body[..cut], 1)).Code.ShouldBe(RequestFaultCodes.InvalidEncoding);
    }

    [Fact]
    public async Task Bytes_between_the_data_and_its_trailer_are_refused()
    {
        foreach (var text in (byte[][])[[], [.. "x"u8], Text[..5_000], Text])
        {
            var whole = Gzip(text);
            foreach (var junk in (byte[][])[[0], [1, 2, 3], new byte[8], whole[^8..], [.. Enumerable.Repeat((byte)0x1F, 3_000)]])
            {
                byte[] body = [.. whole[..^8], .. junk, .. whole[^8..]];
                foreach (var readBytes in (int[][])[[int.MaxValue], [1], [100, 8_192]])
                    (await FaultAsync("gzip", body, readBytes)).Code.ShouldBe(RequestFaultCodes.InvalidEncoding, $"{text.Length} bytes, {junk.Length} of junk");
            }
        }
    }

    [Fact]
    public async Task What_looks_like_another_member_within_the_data_is_data()
    {
        byte[] text = [.. Enumerable.Range(0, 3_000).SelectMany(index => (byte[])[0x1F, 0x8B, 8, (byte)index])];
        var body = Compress("gzip", text, CompressionLevel.NoCompression);
        foreach (var readBytes in (int[][])[[int.MaxValue], [1], [13, 8_192, 1]])
        {
            (await ReadAsync("gzip", body, readBytes)).ShouldBe(text);
            (await ReadAsync("gzip", [.. body, .. body, .. Gzip([])], readBytes)).ShouldBe([.. text, .. text]);
        }
    }

    [Fact]
    public async Task Members_that_bring_nothing_are_refused_before_they_cost_anything()
    {
        foreach (var member in (byte[][])[Gzip([]), Gzip("x"u8.ToArray())])
        {
            var body = new GeneratedBody([], member, 200_000, []);
            var fault = (await Should.ThrowAsync<RequestFaultException>(() => ReadAsync("gzip", body, new IntakeOptions()))).Fault;
            fault.Code.ShouldBe(RequestFaultCodes.InvalidEncoding);
            fault.Detail.ShouldContain("members");
        }
    }

    [Fact]
    public async Task A_body_of_many_small_blocks_is_read()
    {
        // As bgzip and parallel compressors write: a member for each block.
        var blocks = Enumerable.Range(0, 3_000).Select(_ => Gzip(Text[..4_096])).ToArray();
        (await ReadAsync("gzip", [.. blocks.SelectMany(block => block)], int.MaxValue)).Length.ShouldBe(3_000 * 4_096);
    }

    public static TheoryData<string, string> Damages => new()
    {
        { "gzip", "empty" }, { "gzip", "plain" }, { "gzip", "cut" }, { "gzip", "no trailer" }, { "gzip", "cut trailer" }, { "gzip", "changed" },
        { "gzip", "zeros after" }, { "gzip", "text after" }, { "gzip", "half a header after" }, { "gzip", "other" },
        { "br", "empty" }, { "br", "plain" }, { "br", "cut" }, { "br", "cut trailer" },
        { "br", "zeros after" }, { "br", "text after" }, { "br", "other" },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_damaged_body_is_refused(string encoding, string damage)
    {
        var whole = Compress(encoding, Text);
        byte[] body = damage switch
        {
            "empty" => [],
            "plain" => Text,
            "cut" => whole[..(whole.Length / 2)],
            "no trailer" => whole[..^8],
            "cut trailer" => whole[..^1],
            "changed" => [.. whole[..^8], (byte)(whole[^8] ^ 1), .. whole[^7..]],
            "zeros after" => [.. whole, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            "text after" => [.. whole, .. Text],
            "half a header after" => [.. whole, 0x1F, 0x8B],
            "other" => Compress(encoding == "br" ? "gzip" : "br", Text),
            _ => throw new ArgumentOutOfRangeException(nameof(damage)),
        };

        foreach (var readBytes in (int[][])[[int.MaxValue], [1], [100, 8_192]])
        {
            var fault = await FaultAsync(encoding, body, readBytes);
            fault.Code.ShouldBe(RequestFaultCodes.InvalidEncoding, fault.Detail);
            fault.Detail.ShouldContain("Compress it anew, or send it without Content-Encoding.");
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task A_body_cut_off_anywhere_is_never_taken_for_whole(string encoding)
    {
        var body = Compress(encoding, Text[..2_000]);
        for (var cut = 0; cut < body.Length; cut++)
            (await FaultAsync(encoding, body[..cut], int.MaxValue)).Code.ShouldBe(RequestFaultCodes.InvalidEncoding, $"cut at {cut}");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task A_bomb_is_stopped_by_its_ratio_and_by_its_size(string encoding)
    {
        var bomb = Compress(encoding, new byte[64 << 20], CompressionLevel.Optimal);

        var byRatio = await FaultAsync(encoding, bomb, int.MaxValue);
        byRatio.Code.ShouldBe(RequestFaultCodes.BodyTooLarge);
        byRatio.Detail.ShouldBe("The body decompresses to more than 100 times what was sent, the most allowed. Send it with less compression, or raise `Intake:MaxCompressionRatio`.");
        byRatio.ByteOffset!.Value.ShouldBeLessThan(8 << 20);

        var bySize = await FaultAsync(encoding, bomb, new IntakeOptions { MaxCompressionRatio = 1_000_000, MaxDecompressedBytes = 5_000_000 });
        bySize.Code.ShouldBe(RequestFaultCodes.BodyTooLarge);
        bySize.Detail.ShouldBe("The body decompresses to more than 5,000,000 bytes, the most allowed. Send it in several requests, or raise `Intake:MaxDecompressedBytes`.");
        bySize.ByteOffset!.Value.ShouldBeLessThan(6_000_000);
    }

    [Fact]
    public async Task A_small_body_may_be_compressed_by_more_than_the_ratio() =>
        (await ReadAsync("gzip", Gzip(new byte[1 << 20]), int.MaxValue)).Length.ShouldBe(1 << 20);

    [Fact]
    public async Task A_fault_of_the_encoding_reaches_whoever_reads_records()
    {
        await using var body = ContentEncodings.Open("gzip", new SplitStream(Gzip("[{},{}"u8.ToArray()).AsMemory()[..^9], 1), new IntakeOptions())!;
        var reading = await BodyReading.OfAsync(new JsonRecordReader(body, new IntakeOptions()));
        reading.Fault!.Code.ShouldBe(RequestFaultCodes.InvalidEncoding);
    }

    [Fact]
    public void A_body_without_encoding_is_the_body_and_an_unknown_one_is_not_opened()
    {
        var options = new IntakeOptions();
        ContentEncodings.Open(null, Stream.Null, options).ShouldBeSameAs(Stream.Null);
        ContentEncodings.Open("", Stream.Null, options).ShouldBeSameAs(Stream.Null);
        ContentEncodings.Open("Identity", Stream.Null, options).ShouldBeSameAs(Stream.Null);
        ContentEncodings.Open("zstd", Stream.Null, options).ShouldBeNull();
        ContentEncodings.Open("gzip, br", Stream.Null, options).ShouldBeNull();
    }

    private static byte[] Gzip(byte[] text) => Compress("gzip", text);

    private static byte[] Compress(string encoding, byte[] text, CompressionLevel level = CompressionLevel.Fastest)
    {
        // For an empty text GZipStream writes nothing, where others write a member without content.
        if (encoding != "br" && text.Length == 0) return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        using var body = new MemoryStream();
        using (Stream stream = encoding == "br" ? new BrotliStream(body, level) : new GZipStream(body, level)) stream.Write(text);
        return body.ToArray();
    }

    private static Task<byte[]> ReadAsync(string encoding, byte[] body, params int[] readBytes) =>
        ReadAsync(encoding, new SplitStream(body, readBytes), new IntakeOptions());

    private static async Task<RequestFault> FaultAsync(string encoding, byte[] body, params int[] readBytes) =>
        (await Should.ThrowAsync<RequestFaultException>(() => ReadAsync(encoding, body, readBytes))).Fault;

    private static async Task<RequestFault> FaultAsync(string encoding, byte[] body, IntakeOptions options) =>
        (await Should.ThrowAsync<RequestFaultException>(() => ReadAsync(encoding, new SplitStream(body, int.MaxValue), options))).Fault;

    private static async Task<byte[]> ReadAsync(string encoding, Stream body, IntakeOptions options)
    {
        await using var opened = ContentEncodings.Open(encoding, body, options)!;
        using var text = new MemoryStream();
        await opened.CopyToAsync(text, TestContext.Current.CancellationToken);
        return text.ToArray();
    }
}
