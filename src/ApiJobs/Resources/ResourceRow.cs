namespace ApiJobs.Resources;

/// <summary>A row of a resource.</summary>
/// <param name="Id">Its key.</param>
/// <param name="Values">Its fields' values in canonical text form, by their position in <see cref="Resource.Fields"/>; null is no value.</param>
/// <param name="CreatedAt">When it was made, UTC.</param>
/// <param name="UpdatedAt">When it last changed, UTC.</param>
public sealed record ResourceRow(Guid Id, string?[] Values, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>A row to write.</summary>
/// <param name="Row">The row as it shall be.</param>
/// <param name="IsNew">Whether the row is to be inserted; else it exists and is updated.</param>
/// <param name="Fields">The fields of an existing row that changed; ignored for a new one.</param>
public sealed record RowWrite(ResourceRow Row, bool IsNew, ulong Fields);
