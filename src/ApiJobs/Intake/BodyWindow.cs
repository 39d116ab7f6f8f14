using System.Buffers;

namespace ApiJobs.Intake;

/// <summary>A window that moves over a body as it streams in: the bytes read and not yet consumed, and where in the body they lie.</summary>
/// <remarks>Its buffer grows only to what a caller wants at once, plus one read; it never follows the body's size.</remarks>
internal sealed class BodyWindow(Stream body) : IDisposable
{
    private const int ReadBytes = 64 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
    private int _start;
    private int _end;

    /// <summary>The bytes read and not yet consumed.</summary>
    public ReadOnlySpan<byte> Unread => _buffer.AsSpan(_start, _end - _start);

    /// <summary>The zero-based offset in the body of the first unread byte; the body's length once all of it is consumed.</summary>
    public long Offset { get; private set; }

    /// <summary>Whether the body has no bytes beyond <see cref="Unread"/>.</summary>
    public bool AtEnd { get; private set; }

    /// <summary>Moves past unread bytes. They stay where they are until the next <see cref="FillAsync"/>.</summary>
    public void Consume(int bytes)
    {
        _start += bytes;
        Offset += bytes;
    }

    /// <summary>The next unread bytes as memory, valid until the next <see cref="FillAsync"/>.</summary>
    public ReadOnlyMemory<byte> Peek(int bytes) => _buffer.AsMemory(_start, bytes);

    /// <summary>Reads on until at least <paramref name="bytes"/> are unread, or the body has ended.</summary>
    public async ValueTask FillAsync(int bytes, CancellationToken cancellationToken)
    {
        MakeRoom(bytes);
        while (_end - _start < bytes && !AtEnd)
        {
            var read = await body.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            AtEnd = read == 0;
            _end += read;
        }
    }

    public void Dispose()
    {
        if (_buffer.Length == 0) return;
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _start = _end = 0;
    }

    private void MakeRoom(int bytes)
    {
        ObjectDisposedException.ThrowIf(_buffer.Length == 0, this);
        var target = bytes <= _buffer.Length ? _buffer : ArrayPool<byte>.Shared.Rent(bytes + ReadBytes);
        Unread.CopyTo(target);
        _end -= _start;
        _start = 0;
        if (target == _buffer) return;
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = target;
    }
}
