using System.Buffers;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ApiJobs.Sqlite.Connections;

/// <summary>A prepared statement, bound and read by position. Disposing it resets it for its next use.</summary>
/// <remarks>
/// ADO.NET's command looks every parameter up by name, and makes a reader, for each execution. At one or two statements a
/// record that is most of the time, so the store's own statements go to SQLite directly. Coded operations have ADO.NET.
/// </remarks>
internal sealed class SqliteStatement : IDisposable
{
    private const int StackBytes = 1024;

    // A pointer that is not null: SQLite takes a null pointer for NULL, and the pointer of an empty span is null.
    private static readonly byte[] EmptyText = [0];

    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;

    internal SqliteStatement(sqlite3 database, string sql)
    {
        _database = database;
        Check(raw.sqlite3_prepare_v3(database, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement));
    }

    internal SqliteStatement Bind(int index, long value)
    {
        Check(raw.sqlite3_bind_int64(_statement, index, value));
        return this;
    }

    internal SqliteStatement Bind(int index, Guid value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, bigEndian: true, out _);
        return Bind(index, bytes);
    }

    internal SqliteStatement Bind(int index, ReadOnlySpan<byte> value)
    {
        Check(value.IsEmpty
            ? raw.sqlite3_bind_zeroblob(_statement, index, 0)
            : raw.sqlite3_bind_blob(_statement, index, value));
        return this;
    }

    internal SqliteStatement Bind(int index, string value)
    {
        var maxBytes = Encoding.UTF8.GetMaxByteCount(value.Length);
        var rented = maxBytes > StackBytes ? ArrayPool<byte>.Shared.Rent(maxBytes) : null;
        var buffer = rented ?? stackalloc byte[StackBytes];
        var text = buffer[..Encoding.UTF8.GetBytes(value, buffer)];
        var result = text.IsEmpty
            ? raw.sqlite3_bind_text(_statement, index, utf8z.FromSpan(EmptyText))
            : raw.sqlite3_bind_text(_statement, index, text);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        Check(result);
        return this;
    }

    internal SqliteStatement BindOrNull(int index, string? value) => value is null ? BindNull(index) : Bind(index, value);

    internal SqliteStatement BindNull(int index)
    {
        Check(raw.sqlite3_bind_null(_statement, index));
        return this;
    }

    /// <summary>Steps to the next row.</summary>
    /// <returns><see langword="false"/> when there is none.</returns>
    internal bool Read()
    {
        var result = raw.sqlite3_step(_statement);
        if (result == raw.SQLITE_ROW)
            return true;
        if (result != raw.SQLITE_DONE)
            Check(result);
        return false;
    }

    /// <summary>Runs a statement that gives no rows, and resets it.</summary>
    /// <returns>How many rows it wrote.</returns>
    internal int Run()
    {
        try
        {
            Read();
            return raw.sqlite3_changes(_database);
        }
        finally
        {
            Dispose();
        }
    }

    internal bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    internal long Int64(int column) => raw.sqlite3_column_int64(_statement, column);

    internal int Int32(int column) => raw.sqlite3_column_int(_statement, column);

    internal Guid Guid(int column) => new(raw.sqlite3_column_blob(_statement, column), bigEndian: true);

    internal byte[] Bytes(int column) => raw.sqlite3_column_blob(_statement, column).ToArray();

    // Asked for as a blob, a text comes as its UTF-8 bytes with their length, and nobody has to search for its end.
    internal string Text(int column) => Encoding.UTF8.GetString(raw.sqlite3_column_blob(_statement, column));

    internal string? TextOrNull(int column)
    {
        var text = raw.sqlite3_column_blob(_statement, column);
        return text.IsEmpty && IsNull(column) ? null : Encoding.UTF8.GetString(text);
    }

    /// <summary>Resets the statement. An error it reports is the one that <see cref="Read"/> has thrown already.</summary>
    public void Dispose() => _ = raw.sqlite3_reset(_statement);

    /// <summary>Ends the statement; it cannot be used again.</summary>
    internal void Close() => _statement.Dispose();

    private void Check(int result)
    {
        if (result != raw.SQLITE_OK)
            SqliteException.ThrowExceptionForRC(result, _database);
    }
}
