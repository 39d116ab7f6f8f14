-- The way in of lists: each job's place in time, under 0 and under what it can be looked for by (JobMarks). Jobs that are there
-- already get their marks at the next start, which can compute them.
CREATE TABLE job_marks (
    company_id BLOB    NOT NULL,
    mark       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    job_id     BLOB    NOT NULL,
    PRIMARY KEY (company_id, mark, created_at, job_id)
) STRICT, WITHOUT ROWID;
