-- Which job goes on from which: the key lets one job at the most retry or promote another. It is a table of its own because an
-- ended job's row never changes. kind: 1 retry, 2 promotion.
CREATE TABLE job_children (
    company_id uuid     NOT NULL,
    parent_id  uuid     NOT NULL,
    kind       smallint NOT NULL,
    child_id   uuid     NOT NULL,
    PRIMARY KEY (company_id, parent_id, kind)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

-- A job may be the answer under several keys: the one that made it, and those that cancelled it. They go with it. The job
-- comes first, and not the company as in the primary key: so that a look-up has one index to choose only.
CREATE INDEX idempotency_keys_by_job ON idempotency_keys (job_id, company_id);
