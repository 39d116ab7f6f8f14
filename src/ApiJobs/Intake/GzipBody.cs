using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace ApiJobs.Intake;

/// <summary>A body compressed with gzip (RFC 1952), of one member or several.</summary>
/// <remarks>
/// <see cref="DeflateStream"/> does not tell where in its input the data ended. A member can only end where, after the eight bytes of
/// its trailer, the body ends or another member begins, and these places can be seen beforehand: there the last byte of the data is given
/// to the inflater by itself. If it is not the one that completes the data, bytes are missing, damaged, or stand where none belong.
/// </remarks>
internal sealed class GzipBody(Stream body, IntakeOptions options) : DecompressedBody(body, options)
{
    /// <summary>The bytes that tell gzip data from text.</summary>
    public const int MagicBytes = 2;

    private const int HeaderBytes = 10;
    private const int TrailerBytes = 8;
    private const int MemberStartBytes = 4;
    private const int NameBytesMax = 4_096;

    // Each member costs an inflater, so many that bring next to nothing would cost more than the bytes they are sent in.
    private const int AlwaysAllowedMembers = 1_000;
    private const int MinBytesOfFurtherMembers = 1_024;

    private static ReadOnlySpan<byte> MemberStart => [0x1F, 0x8B, 8];

    private readonly Crc32 _crc = new();
    private DeflateStream? _member;
    private uint _memberBytes;
    private int _givenBytes;
    private bool _maySeeEnd;
    private long _members;

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

    /// <summary>Whether bytes begin as gzip data does, and no text.</summary>
    public static bool IsBegunBy(ReadOnlySpan<byte> bytes) => bytes.StartsWith(MemberStart[..MagicBytes]);

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
        if (_members > 0 && Window.Unread.IsEmpty) return false;
        if (Window.Unread.Length < HeaderBytes || !Window.Unread.StartsWith(MemberStart))
            throw Invalid(_members > 0 ? "The gzip data is complete, but the body goes on after it" : "The body is not the gzip data that its Content-Encoding says");

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

        if (++_members > AlwaysAllowedMembers + (DecompressedBytes / MinBytesOfFurtherMembers))
            throw Invalid($"The gzip data has {_members:N0} members with next to nothing in them");
        _memberBytes = 0;
        _crc.Reset();
        _member = new DeflateStream(new Input(this), CompressionMode.Decompress);
        return true;
    }

    private async ValueTask EndMemberAsync(CancellationToken cancellationToken)
    {
        Window.Consume(_givenBytes);
        _givenBytes = 0;
        await Window.FillAsync(TrailerBytes, cancellationToken);
        if (!_maySeeEnd || !IsTrailer(Window.Unread)) throw Invalid("The gzip data is cut off or damaged, or the body goes on after it");
        Window.Consume(TrailerBytes);
        await _member!.DisposeAsync();
        _member = null;
    }

    private bool IsTrailer(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= TrailerBytes
        && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == _crc.GetCurrentHashAsUInt32()
        && BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) == _memberBytes;

    /// <summary>How many bytes of the window to give the inflater: those before the last byte that may complete the member, or that byte alone.</summary>
    /// <param name="most">The most it takes.</param>
    private int NextBytes(int most)
    {
        var seen = Window.Unread[..Math.Min(Window.Unread.Length, most + TrailerBytes + MemberStartBytes)];
        var isAll = Window.AtEnd && seen.Length == Window.Unread.Length;
        // What may turn out to be a trailer with a header after it is kept back until that is seen.
        var bytes = isAll ? seen.Length : seen.Length - TrailerBytes - MemberStartBytes;
        var end = IndexOfMemberStart(seen) is >= 0 and var start ? start - TrailerBytes : isAll ? seen.Length - TrailerBytes : int.MaxValue;
        _maySeeEnd = end == 1;
        return _maySeeEnd ? 1 : end > 1 ? Math.Min(Math.Min(bytes, end - 1), most) : Math.Min(bytes, most);
    }

    /// <summary>Where, with room for a trailer and a byte of data before it, another member seems to begin; -1 if nowhere.</summary>
    private static int IndexOfMemberStart(ReadOnlySpan<byte> bytes)
    {
        for (var from = 1 + TrailerBytes; from < bytes.Length; from++)
        {
            var found = bytes[from..].IndexOf(MemberStart);
            from += found;
            if (found < 0 || from + MemberStartBytes > bytes.Length) break;
            // The flags tell a header from most other bytes that look like one.
            if (((HeaderFlags)bytes[from + MemberStartBytes - 1] & HeaderFlags.Reserved) == 0) return from;
        }
        return -1;
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
            await body.Window.FillAsync(1 + TrailerBytes + MemberStartBytes, cancellationToken);
            var unread = body.Window.Unread;
            body._givenBytes = body.NextBytes(buffer.Length);
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
