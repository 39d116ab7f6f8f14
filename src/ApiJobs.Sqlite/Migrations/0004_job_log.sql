-- What happened to a job out of the ordinary. Most jobs have no row; none has more than a log shows.
CREATE TABLE job_log (
    company_id BLOB    NOT NULL,
    job_id     BLOB    NOT NULL,
    number     INTEGER NOT NULL,
    time       INTEGER NOT NULL,
    event      TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    PRIMARY KEY (company_id, job_id, number)
) STRICT, WITHOUT ROWID;
