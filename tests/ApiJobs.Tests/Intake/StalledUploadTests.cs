using System.Text;
using ApiJobs.Intake;

namespace ApiJobs.Tests.Intake;

/// <summary>What uploads hold that have come to a standstill, and what is left of them when they are gone.</summary>
[Collection(nameof(CountsAllocations))]
public sealed class StalledUploadTests
{
    private const int Uploads = 300, SentBytes = 880_000;

    /// <summary>Three hundred uploads, each stopped inside a record of 900 KB, after one like it.</summary>
    [Theory]
    [InlineData("application/json")]
    [InlineData("application/x-ndjson")]
    [InlineData("text/csv")]
    public async Task A_stalled_upload_holds_little_more_than_the_record_it_is_in_and_all_is_given_back(string mediaType)
    {
        var (head, tail) = mediaType switch
        {
            "application/json" => ("[{\"notes\":\"", "\"},{\"notes\":\""),
            "application/x-ndjson" => ("{\"notes\":\"", "\"}\n{\"notes\":\""),
            _ => ("notes\n\"", "\"\n\""),
        };
        byte[] body = [.. Encoding.UTF8.GetBytes(head), .. new byte[SentBytes].Select(_ => (byte)'x'), .. Encoding.UTF8.GetBytes(tail), .. new byte[SentBytes].Select(_ => (byte)'x')];
        var before = GC.GetTotalMemory(forceFullCollection: true);

        var uploads = new List<(RecordReader Reader, ChunkBuilder Chunks, Task Reading)>();
        for (var upload = 0; upload < Uploads; upload++)
        {
            var reader = RecordFormats.Open(mediaType, new StallingBody(body), new IntakeOptions())!;
            var chunks = new ChunkBuilder(new IntakeOptions());
            (await reader.ReadAsync(TestContext.Current.CancellationToken)).ShouldBeTrue();
            chunks.Add(reader.Current);
            uploads.Add((reader, chunks, reader.ReadAsync(TestContext.Current.CancellationToken).AsTask()));
        }

        var held = GC.GetTotalMemory(forceFullCollection: true) - before;
        uploads.ShouldAllBe(upload => !upload.Reading.IsCompleted);
        foreach (var (reader, _, _) in uploads)
            await reader.DisposeAsync();
        uploads.Clear();
        var left = GC.GetTotalMemory(forceFullCollection: true) - before;

        TestContext.Current.SendDiagnosticMessage("{0}: {1:N0} bytes held by each of {2} stalled uploads, {3:N0} bytes left of all", mediaType, held / Uploads, Uploads, left);
        (held / Uploads).ShouldBeLessThan(5 * SentBytes / 2);
        left.ShouldBeLessThan(20 << 20);
    }

    /// <summary>An upload that has not sent anything yet, or has stopped between records.</summary>
    [Fact]
    public async Task An_upload_that_waits_between_records_holds_no_buffer()
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var uploads = new List<(RecordReader Reader, Task Reading)>();
        for (var upload = 0; upload < Uploads; upload++)
        {
            var reader = new NdjsonRecordReader(new StallingBody(upload % 2 == 0 ? [] : "{\"a\":1}\n"u8.ToArray()), new IntakeOptions());
            if (upload % 2 == 1)
                (await reader.ReadAsync(TestContext.Current.CancellationToken)).ShouldBeTrue();
            uploads.Add((reader, reader.ReadAsync(TestContext.Current.CancellationToken).AsTask()));
        }

        var held = GC.GetTotalMemory(forceFullCollection: true) - before;

        TestContext.Current.SendDiagnosticMessage("{0:N0} bytes held by each of {1} waiting uploads", held / Uploads, Uploads);
        (held / Uploads).ShouldBeLessThan(8_192);
        foreach (var (reader, _) in uploads)
            await reader.DisposeAsync();
    }

    /// <summary>A body of which no more arrives than what is there, and which does not end.</summary>
    private sealed class StallingBody(byte[] body) : Stream
    {
        private readonly TaskCompletionSource<int> _more = new();
        private int _position;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        // As a body of Kestrel's: asked for nothing, it waits until there is something.
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = Math.Min(Math.Min(4_096, buffer.Length), body.Length - _position);
            if (_position == body.Length) return new(_more.Task);
            body.AsMemory(_position, count).CopyTo(buffer);
            _position += count;
            return ValueTask.FromResult(count);
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Flush() => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
