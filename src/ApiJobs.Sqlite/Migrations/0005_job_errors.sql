-- The kinds of errors that a job's records have, counted as its chunks are applied: at most a hundred a job, so that asking for them
-- never reads the job again. Gone with the job.
CREATE TABLE job_errors (
    company_id  BLOB    NOT NULL,
    job_id      BLOB    NOT NULL,
    code        TEXT    NOT NULL,
    pointer     TEXT    NOT NULL,
    count       INTEGER NOT NULL CHECK (count > 0),
    first_index INTEGER NOT NULL CHECK (first_index >= 0),
    message     TEXT    NOT NULL,
    PRIMARY KEY (company_id, job_id, code, pointer)
) STRICT, WITHOUT ROWID;
