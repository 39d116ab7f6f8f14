using System.ComponentModel.DataAnnotations;

namespace ApiJobs.Sqlite;

/// <summary>Where the embedded store lives, and its bounds.</summary>
public sealed class SqliteStoreOptions
{
    /// <summary>Names the file: <c>Data Source=data/apijobs.db</c>. Its folder is made if it is missing; it must not be a network share.</summary>
    [Required]
    public string ConnectionString { get; set; } = "Data Source=data/apijobs.db";

    /// <summary>How long to wait for another program's lock on the file (a backup, a shell) before a call fails as unavailable.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan LockTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The most connections that read at the same time. Writing always has one of its own.</summary>
    [Range(1, 64)]
    public int MaxReaders { get; set; } = 6;

    /// <summary>
    /// How much of the disk uploads leave free, in bytes, so that what was accepted can still be applied, and what is old removed; of a
    /// small disk at most a sixteenth. Below it requests are answered with 503.
    /// </summary>
    [Range(0, 1L << 40)]
    public long ReservedBytes { get; set; } = 256L << 20;

    /// <summary>The writer's page cache, in bytes. A larger one helps bulk updates of many rows in random order.</summary>
    [Range(1 << 20, 1 << 30)]
    public int WriterCacheBytes { get; set; } = 64 << 20;
}
