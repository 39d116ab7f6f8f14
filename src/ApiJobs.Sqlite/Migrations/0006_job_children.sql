-- Which job goes on from which: the key lets one job at the most retry or promote another. It is a table of its own because an
-- ended job's row never changes. kind: 1 retry, 2 promotion.
CREATE TABLE job_children (
    company_id BLOB    NOT NULL,
    parent_id  BLOB    NOT NULL,
    kind       INTEGER NOT NULL,
    child_id   BLOB    NOT NULL,
    PRIMARY KEY (company_id, parent_id, kind)
) STRICT, WITHOUT ROWID;

-- A job may be the answer under several keys: the one that made it, and those that cancelled it. They go with it.
CREATE INDEX idempotency_keys_by_job ON idempotency_keys (company_id, job_id);
