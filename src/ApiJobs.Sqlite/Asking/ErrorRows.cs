using ApiJobs.Records;
using ApiJobs.Sqlite.Connections;

namespace ApiJobs.Sqlite.Asking;

/// <summary>The kinds of errors that jobs' records have.</summary>
internal static class ErrorRows
{
    /// <summary>Adds the errors of a chunk to those of its job. Runs inside the writer's transaction.</summary>
    internal static void Add(SqliteSession session, Guid companyId, Guid jobId, IReadOnlyList<ErrorGroup> groups)
    {
        if (groups.Count == 0)
            return;
        var room = ErrorGroup.MaxPerJob - 1 - Count(session, companyId, jobId);
        ErrorGroup? others = null;
        foreach (var group in groups)
        {
            if (Count(session, companyId, jobId, group))
                continue;
            if (room-- > 0)
                Insert(session, companyId, jobId, group);
            else
                others = others is null ? group : others with { Count = others.Count + group.Count };
        }

        if (others is null)
            return;
        others = others with { Code = ErrorGroup.OtherCode, Pointer = "", Message = ErrorGroup.OtherMessage };
        if (!Count(session, companyId, jobId, others))
            Insert(session, companyId, jobId, others);
    }

    internal static IReadOnlyList<ErrorGroup> Of(SqliteSession session, Guid companyId, Guid jobId)
    {
        using var select = session.Use("""
            SELECT code, pointer, count, first_index, message FROM job_errors
            WHERE company_id = ?1 AND job_id = ?2
            ORDER BY count DESC, first_index, code, pointer
            """);
        select.Bind(1, companyId).Bind(2, jobId);
        var groups = new List<ErrorGroup>();
        while (select.Read())
            groups.Add(new(select.Text(0), select.Text(1), select.Int64(2), select.Int64(3), select.Text(4)));
        return groups;
    }

    // The group of the others is not among those that the room is for.
    private static int Count(SqliteSession session, Guid companyId, Guid jobId)
    {
        using var count = session.Use("SELECT count(*) FROM job_errors WHERE company_id = ?1 AND job_id = ?2 AND NOT (code = ?3 AND pointer = '')");
        count.Bind(1, companyId).Bind(2, jobId).Bind(3, ErrorGroup.OtherCode).Read();
        return count.Int32(0);
    }

    private static bool Count(SqliteSession session, Guid companyId, Guid jobId, ErrorGroup group) =>
        session.Use("UPDATE job_errors SET count = count + ?5 WHERE company_id = ?1 AND job_id = ?2 AND code = ?3 AND pointer = ?4")
            .Bind(1, companyId).Bind(2, jobId).Bind(3, group.Code).Bind(4, group.Pointer).Bind(5, group.Count).Run() == 1;

    private static void Insert(SqliteSession session, Guid companyId, Guid jobId, ErrorGroup group) =>
        session.Use("INSERT INTO job_errors (company_id, job_id, code, pointer, count, first_index, message) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
            .Bind(1, companyId).Bind(2, jobId).Bind(3, group.Code).Bind(4, group.Pointer).Bind(5, group.Count).Bind(6, group.FirstIndex).Bind(7, group.Message).Run();
}
