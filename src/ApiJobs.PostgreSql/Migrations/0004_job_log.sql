-- What happened to a job out of the ordinary. Most jobs have no row; none has more than a log shows.
CREATE TABLE job_log (
    company_id uuid        NOT NULL,
    job_id     uuid        NOT NULL,
    number     integer     NOT NULL,
    time       timestamptz NOT NULL,
    event      text        NOT NULL,
    detail     text        NOT NULL,
    PRIMARY KEY (company_id, job_id, number)
);
