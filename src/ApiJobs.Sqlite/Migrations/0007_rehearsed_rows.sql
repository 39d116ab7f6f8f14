-- The rehearsals that have noted something, until the notes are gone: where the sweep looks, whatever became of the job.
CREATE TABLE rehearsals (
    company_id BLOB NOT NULL,
    job_id     BLOB NOT NULL,
    PRIMARY KEY (company_id, job_id)
) STRICT, WITHOUT ROWID;

-- What a rehearsal would have written: a row's values by the row's id (kind 0), and which row took a unique value by a digest of it (kind 1).
CREATE TABLE rehearsal_notes (
    company_id BLOB    NOT NULL,
    job_id     BLOB    NOT NULL,
    kind       INTEGER NOT NULL,
    key        BLOB    NOT NULL,
    content    BLOB    NOT NULL,
    PRIMARY KEY (company_id, job_id, kind, key)
) STRICT, WITHOUT ROWID;
