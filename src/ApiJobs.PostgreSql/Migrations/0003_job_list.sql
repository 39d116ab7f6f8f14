-- The way in of lists: each job's place in time, under 0 and under what it can be looked for by (JobMarks). Written when the job is
-- sealed, and gone with it; the last of a mark's rows are next to each other, and so are the pages that sealing writes to.
CREATE TABLE job_marks (
    company_id uuid        NOT NULL,
    mark       bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    job_id     uuid        NOT NULL,
    PRIMARY KEY (company_id, mark, created_at, job_id)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05);

-- The jobs that are there already, of all companies: without this the policies would show the owner none. It is put back in this
-- transaction, by what compares the policies after the scripts.
ALTER TABLE jobs NO FORCE ROW LEVEL SECURITY;
INSERT INTO job_marks (company_id, mark, created_at, job_id)
SELECT j.company_id, m.mark, j.created_at, j.id
FROM jobs j CROSS JOIN LATERAL (
    SELECT DISTINCT v.mark
    FROM (VALUES
        (0::bigint),
        (('x' || encode(substr(sha256(convert_to('type=' || j.type, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint),
        (('x' || encode(substr(sha256(convert_to('client_id=' || j.client_id, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint),
        (('x' || encode(substr(sha256(convert_to('parent_id=' || j.parent_id, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint),
        (CASE WHEN position('"dry_run":true' IN j.options) > 0 THEN 1 END),
        (CASE WHEN j.failure IS NOT NULL THEN 2 END),
        (CASE WHEN j.failed_count > 0 THEN 3 END)) AS v(mark)
    WHERE v.mark IS NOT NULL) m;
