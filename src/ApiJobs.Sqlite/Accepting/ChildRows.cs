using ApiJobs.Jobs;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Accepting;

/// <summary>Which job goes on from which.</summary>
internal static class ChildRows
{
    internal static IReadOnlyList<JobChild> Of(SqliteSession session, Guid companyId, IReadOnlyCollection<Guid> parentIds)
    {
        var children = new List<JobChild>();
        foreach (var parentId in parentIds)
        {
            using var select = session.Use("SELECT kind, child_id FROM job_children WHERE company_id = ?1 AND parent_id = ?2 ORDER BY kind");
            select.Bind(1, companyId).Bind(2, parentId);
            while (select.Read())
                children.Add(new(parentId, (JobDescent)select.Int32(0), select.Guid(1)));
        }

        return children;
    }

    internal static void Insert(SqliteSession session, Guid companyId, JobChild child) =>
        session.Use("INSERT INTO job_children (company_id, parent_id, kind, child_id) VALUES (?1, ?2, ?3, ?4)")
            .Bind(1, companyId).Bind(2, child.ParentId).Bind(3, (int)child.Descent).Bind(4, child.JobId).Run();

    /// <summary>Removes what is known of a job's children, and of the job as the child of another.</summary>
    internal static void RemoveOf(SqliteSession session, Guid companyId, Guid jobId, Guid? parentId)
    {
        session.Use("DELETE FROM job_children WHERE company_id = ?1 AND parent_id = ?2").Bind(1, companyId).Bind(2, jobId).Run();
        if (parentId is { } parent)
            session.Use("DELETE FROM job_children WHERE company_id = ?1 AND parent_id = ?2 AND child_id = ?3")
                .Bind(1, companyId).Bind(2, parent).Bind(3, jobId).Run();
    }
}
