-- The kinds of errors that a job's records have, counted as its chunks are applied: at most a hundred a job, so that asking for them
-- never reads the job again. Gone with the job. The counts are not in an index, so counting on stays on its page (HOT).
CREATE TABLE job_errors (
    company_id  uuid   NOT NULL,
    job_id      uuid   NOT NULL,
    code        text   NOT NULL,
    pointer     text   NOT NULL,
    count       bigint NOT NULL CHECK (count > 0),
    first_index bigint NOT NULL CHECK (first_index >= 0),
    message     text   NOT NULL,
    PRIMARY KEY (company_id, job_id, code, pointer)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
