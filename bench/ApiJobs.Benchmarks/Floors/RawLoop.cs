using ApiJobs.Benchmarks.Databases;

namespace ApiJobs.Benchmarks.Floors;

/// <summary>The least that the same effects can cost: a hand-written loop over rows that are ready in memory, with no job system.</summary>
/// <remarks>
/// It writes the same columns of a copy of the same table, with the same indexes and the same durability, and commits
/// every thousand rows. It reads nothing, checks nothing and remembers nothing.
/// </remarks>
internal static class RawLoop
{
    public const int RowsPerTransaction = 1_000;

    /// <summary>Updates the notes of a company's cases.</summary>
    public static Task UpdateAsync(Database database, Guid companyId, IReadOnlyList<(Guid Id, string Notes)> rows, CancellationToken cancellationToken) =>
        database switch
        {
            SqliteDatabase sqlite => Task.Run(() => SqliteLoop.Update(sqlite, companyId, rows), cancellationToken),
            PostgreSqlDatabase postgreSql => PostgreSqlLoop.UpdateAsync(postgreSql, companyId, rows, cancellationToken),
            _ => throw new ArgumentException($"There is no loop for {database.GetType().Name}.", nameof(database)),
        };
}
