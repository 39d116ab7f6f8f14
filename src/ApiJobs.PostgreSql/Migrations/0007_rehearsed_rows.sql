-- The rehearsals that have noted something, until the notes are gone: where the sweep looks, whatever became of the job.
CREATE TABLE rehearsals (
    company_id uuid NOT NULL,
    job_id     uuid NOT NULL,
    PRIMARY KEY (company_id, job_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- What a rehearsal would have written: a row's values by the row's id (kind 0), and which row took a unique value by a digest of it
-- (kind 1). Written once and soon removed, so it is vacuumed early: the next rehearsal gets the room.
CREATE TABLE rehearsal_notes (
    company_id uuid     NOT NULL,
    job_id     uuid     NOT NULL,
    kind       smallint NOT NULL,
    key        uuid     NOT NULL,
    content    bytea    NOT NULL,
    PRIMARY KEY (company_id, job_id, kind, key)
) WITH (autovacuum_vacuum_scale_factor = 0.05);
