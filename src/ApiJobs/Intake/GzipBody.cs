using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace ApiJobs.Intake;

/// <summary>A body compressed with gzip (RFC 1952), of one member or several.</summary>
/// <remarks>
/// <see cref="DeflateStream"/> does not tell where in its input the data ended. The eight bytes that must follow are known, though:
/// the CRC and the length of what came out. Where they stand, the member ends; where they do not, the body is cut off or damaged.
/// </remarks>
internal sealed class GzipBody(Stream body, IntakeOptions options) : DecompressedBody(body, options)
{
    private const int HeaderBytes = 10;
    private const int TrailerBytes = 8;
    private const int NameBytesMax = 4_096;

    private readonly Crc32 _crc = new();
    private DeflateStream? _member;
    private uint _memberBytes;
    private int _givenBytes;
    private bool _hasMember;

    /// <summary>What the header's flags announce, in the order in which it follows.</summary>
    [Flags]
    private enum HeaderFlags : byte
    {
        Checksum = 2,
        Extra = 4,
        Name = 8,
        Comment = 16,
        Reserved = 0xE0,
    }

    private protected override long UsedBytes => base.UsedBytes + _givenBytes;

    private protected override async ValueTask<int> DecompressAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_member is null && !await TryBeginMemberAsync(cancellationToken)) return 0;
            var read = await ReadMemberAsync(_member!, buffer, cancellationToken);
            if (read > 0)
            {
                _crc.Append(buffer.Span[..read]);
                _memberBytes += (uint)read;
                return read;
            }
            await EndMemberAsync(cancellationToken);
        }
    }

    protected override void Dispose(bool disposing)
    {
        _member?.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadMemberAsync(DeflateStream member, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await member.ReadAsync(buffer, cancellationToken);
        }
        catch (InvalidDataException exception)
        {
            throw Invalid("The gzip data is damaged", exception);
        }
    }

    private async ValueTask<bool> TryBeginMemberAsync(CancellationToken cancellationToken)
    {
        await Window.FillAsync(HeaderBytes, cancellationToken);
        if (_hasMember && Window.Unread.IsEmpty) return false;
        if (Window.Unread.Length < HeaderBytes || !Window.Unread.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B, 8]))
            throw Invalid(_hasMember ? "The gzip data is complete, but the body goes on after it" : "The body is not the gzip data that its Content-Encoding says");

        var flags = (HeaderFlags)Window.Unread[3];
        if ((flags & HeaderFlags.Reserved) != 0) throw Invalid("The gzip header is damaged");
        Window.Consume(HeaderBytes);
        if (flags.HasFlag(HeaderFlags.Extra))
        {
            await PassAsync(0, 2, cancellationToken);
            var extraBytes = BinaryPrimitives.ReadUInt16LittleEndian(Window.Unread);
            Window.Consume(2);
            await PassAsync(extraBytes, extraBytes, cancellationToken);
        }
        if (flags.HasFlag(HeaderFlags.Name)) await PassTextAsync(cancellationToken);
        if (flags.HasFlag(HeaderFlags.Comment)) await PassTextAsync(cancellationToken);
        if (flags.HasFlag(HeaderFlags.Checksum)) await PassAsync(2, 2, cancellationToken);

        _hasMember = true;
        _memberBytes = 0;
        _crc.Reset();
        _member = new DeflateStream(new Input(this), CompressionMode.Decompress);
        return true;
    }

    private async ValueTask EndMemberAsync(CancellationToken cancellationToken)
    {
        // The data ended somewhere in the bytes given last; nothing more is given before it has used all of those.
        await Window.FillAsync(_givenBytes + TrailerBytes + 1, cancellationToken);
        var start = IndexOfTrailer();
        if (start < 0) throw Invalid("The gzip data is cut off or damaged");
        Window.Consume(start + TrailerBytes);
        _givenBytes = 0;
        await _member!.DisposeAsync();
        _member = null;
    }

    private int IndexOfTrailer()
    {
        Span<byte> trailer = stackalloc byte[TrailerBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, _crc.GetCurrentHashAsUInt32());
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], _memberBytes);

        var unread = Window.Unread;
        var last = -1;
        for (var start = 0; start <= _givenBytes && start + TrailerBytes <= unread.Length; start++)
        {
            var found = unread[start..].IndexOf(trailer);
            if (found < 0) break;
            start += found;
            last = start;
            // An empty member's trailer is all zeros, and so may be the bytes around it: it ends where the body does, or another member begins.
            var end = start + TrailerBytes;
            if (end == unread.Length ? Window.AtEnd : unread[end] == 0x1F) return start;
        }
        return last;
    }

    private async ValueTask PassTextAsync(CancellationToken cancellationToken)
    {
        int end;
        while ((end = Window.Unread.IndexOf((byte)0)) < 0)
        {
            if (Window.AtEnd || Window.Unread.Length > NameBytesMax) throw Invalid("The gzip header is cut off or damaged");
            await Window.FillAsync(Window.Unread.Length + 1, cancellationToken);
        }
        Window.Consume(end + 1);
    }

    private async ValueTask PassAsync(int bytes, int neededBytes, CancellationToken cancellationToken)
    {
        await Window.FillAsync(neededBytes, cancellationToken);
        if (Window.Unread.Length < neededBytes) throw Invalid("The gzip header is cut off");
        Window.Consume(bytes);
    }

    /// <summary>What the inflater reads: the window's bytes, which stay there until it asks for more.</summary>
    private sealed class Input(GzipBody body) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            body.Window.Consume(body._givenBytes);
            body._givenBytes = 0;
            await body.Window.FillAsync(1, cancellationToken);
            var unread = body.Window.Unread;
            body._givenBytes = Math.Min(unread.Length, buffer.Length);
            unread[..body._givenBytes].CopyTo(buffer.Span);
            return body._givenBytes;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Flush() => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
