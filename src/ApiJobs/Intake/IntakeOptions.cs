using System.ComponentModel.DataAnnotations;

namespace ApiJobs.Intake;

/// <summary>The bounds of what a bulk request may bring, and of the chunks it is stored in. Configuration section <c>Intake</c>.</summary>
/// <remarks>
/// What is sent is stored before it is acknowledged, so one request may take as much of the disk as its body has bytes, decompressed. The
/// defaults fit a machine with some tens of gigabytes free; where there is more, and bodies of ten gigabytes are sent, raise them.
/// </remarks>
public sealed class IntakeOptions
{
    /// <summary>The largest body, in bytes as sent. 1 GiB unless configured.</summary>
    [Range(typeof(long), "1", "1125899906842624")]
    public long MaxBodyBytes { get; set; } = 1L << 30;

    /// <summary>The largest single record, in bytes of JSON. 1 MiB unless configured.</summary>
    [Range(64, 16 << 20)]
    public int MaxRecordBytes { get; set; } = 1 << 20;

    /// <summary>The deepest nesting of a body, the outermost array or object counted as 1.</summary>
    [Range(3, 256)]
    public int MaxDepth { get; set; } = 64;

    /// <summary>The most records a request may have.</summary>
    [Range(typeof(long), "1", "1000000000000")]
    public long MaxRecords { get; set; } = 1_000_000_000;

    /// <summary>The most bytes a compressed body may decompress to. 1 GiB unless configured.</summary>
    [Range(typeof(long), "1", "1125899906842624")]
    public long MaxDecompressedBytes { get; set; } = 1L << 30;

    /// <summary>The most times larger than sent a compressed body may become; the first MiB is always allowed. Counted while it is read. 100 unless configured.</summary>
    [Range(1, 1_000_000)]
    public int MaxCompressionRatio { get; set; } = 100;

    /// <summary>The CSV cell that means null, and so clears its field; an empty cell leaves it. <c>\N</c> unless configured; empty for none.</summary>
    [Required(AllowEmptyStrings = true)]
    public string CsvClearToken { get; set; } = @"\N";

    /// <summary>A chunk is closed when it has this many records.</summary>
    [Range(1, 10_000)]
    public int ChunkRecords { get; set; } = 1_000;

    /// <summary>A chunk is closed before it would grow over this many bytes, unless a single record is larger.</summary>
    [Range(1_024, 16 << 20)]
    public int ChunkBytes { get; set; } = 1 << 20;

    /// <summary>An upload to which nothing was appended for this long is swept away.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00")]
    public TimeSpan UploadExpiry { get; set; } = TimeSpan.FromHours(2);
}
