namespace ApiJobs.Resources;

/// <summary>What one record asks of its row: the fields it names, with their values in canonical text form.</summary>
internal sealed class RecordChange(int fieldCount)
{
    /// <summary>The id the record names, or null.</summary>
    public Guid? SentId { get; set; }

    /// <summary>The id of the row: the one sent, or the one made for a record that brings none.</summary>
    public Guid RowId { get; set; }

    /// <summary>The fields the record names, a bit for each.</summary>
    public ulong Present { get; set; }

    /// <summary>
    /// The named fields' values, by position; null clears. A map's value is its patch: the members to set, and with null
    /// the ones to remove.
    /// </summary>
    public string?[] Values { get; } = new string?[fieldCount];

    public bool Has(int field) => (Present & (1UL << field)) != 0;
}
