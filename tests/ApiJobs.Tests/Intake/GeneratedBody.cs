namespace ApiJobs.Tests.Intake;

/// <summary>A long body made on the fly: a head, the same part many times over, a tail. Reading it allocates nothing.</summary>
internal sealed class GeneratedBody(byte[] head, byte[] part, long count, byte[] tail) : Stream
{
    private long _part = -1;
    private int _position;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => head.Length + (part.Length * count) + tail.Length;
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var written = 0;
        while (written < buffer.Length && _part <= count)
        {
            var source = _part < 0 ? head : _part < count ? part : tail;
            var bytes = Math.Min(source.Length - _position, buffer.Length - written);
            source.AsSpan(_position, bytes).CopyTo(buffer.Span[written..]);
            written += bytes;
            _position += bytes;
            if (_position < source.Length) continue;
            _position = 0;
            _part++;
        }
        return ValueTask.FromResult(written);
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A body is read asynchronously.");
    public override void Flush() => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
