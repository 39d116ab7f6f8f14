namespace ApiJobs.Intake;

/// <summary>A window that moves over a body as it streams in: the bytes read and not yet consumed, and where in the body they lie.</summary>
/// <remarks>
/// Its buffer grows only to what a caller wants at once; it never follows the body's size. While the body is waited for and nothing is
/// unread, there is no buffer at all.
/// </remarks>
internal sealed class BodyWindow(Stream body) : IDisposable
{
    private byte[] _buffer = [];
    private bool _isDisposed;
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
        await WaitAsync(cancellationToken);
        MakeRoom(bytes);
        while (_end - _start < bytes && !AtEnd)
        {
            var read = await body.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            AtEnd = read == 0;
            _end += read;
        }
    }

    /// <summary>Waits, without a buffer, until there are unread bytes or more can be read at once; where the body itself can wait so.</summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (!Unread.IsEmpty || AtEnd) return;
        Return();
        _ = await body.ReadAsync(Memory<byte>.Empty, cancellationToken);
    }

    public void Dispose()
    {
        _isDisposed = true;
        Return();
    }

    private void MakeRoom(int bytes)
    {
        // A large buffer is given back once what is wanted fits a small one.
        var isEnough = bytes <= _buffer.Length && (_buffer.Length <= WindowBuffers.SmallBytes || Math.Max(bytes, Unread.Length) > WindowBuffers.SmallBytes);
        var target = isEnough && _buffer.Length > 0 ? _buffer : WindowBuffers.Lease(Math.Max(bytes, Unread.Length));
        Unread.CopyTo(target);
        (_start, _end) = (0, _end - _start);
        if (target == _buffer) return;
        if (_buffer.Length > 0) WindowBuffers.Return(_buffer);
        _buffer = target;
    }

    private void Return()
    {
        if (_buffer.Length > 0) WindowBuffers.Return(_buffer);
        _buffer = [];
        _start = _end = 0;
    }
}
