-- Every table begins its primary key with the company, so that companies can later be spread over servers.

-- One row a job, from sealing on. Between sealing and its end only columns without an index change, so that every
-- update stays on its page (HOT); the free fifth of each page is the room for it.
CREATE TABLE jobs (
    company_id      uuid        NOT NULL,
    id              uuid        NOT NULL,
    type            text        NOT NULL,
    lane            text        NOT NULL,
    position        bigint      NOT NULL,
    options         text,
    client_id       text,
    parent_id       uuid,
    idempotency_key text,
    trace_parent    text,
    total_records   bigint      NOT NULL,
    chunk_count     integer     NOT NULL,
    next_chunk      integer     NOT NULL DEFAULT 0,
    created_count   bigint      NOT NULL DEFAULT 0,
    updated_count   bigint      NOT NULL DEFAULT 0,
    unchanged_count bigint      NOT NULL DEFAULT 0,
    failed_count    bigint      NOT NULL DEFAULT 0,
    message_entries bigint      NOT NULL DEFAULT 0,
    message_bytes   integer     NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    start_time      timestamptz,
    end_time        timestamptz,
    failure_code    text,
    failure         text,
    PRIMARY KEY (company_id, id),
    CHECK (next_chunk BETWEEN 0 AND chunk_count),
    CHECK (created_count + updated_count + unchanged_count + failed_count <= total_records),
    CHECK ((failure IS NULL) = (failure_code IS NULL)),
    -- Only an ended job has failed, and one that has not failed ends with its last chunk.
    CHECK (failure IS NULL OR end_time IS NOT NULL),
    CHECK (end_time IS NULL OR failure IS NOT NULL OR next_chunk = chunk_count)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02);

-- Not limited to unfinished jobs: a partial index would be touched when a job ends, and would cost the HOT update. The lane
-- comes first, and not the company as in the primary key: so that a plan made for an empty table has one index to choose only.
CREATE UNIQUE INDEX jobs_by_lane ON jobs (lane, company_id, position);

-- What a client may send again. The empty client_id is the one of callers who are not told apart. Written in the transaction
-- that seals the job, and gone with it.
CREATE TABLE idempotency_keys (
    company_id  uuid  NOT NULL,
    client_id   text  NOT NULL,
    key         text  NOT NULL,
    job_id      uuid  NOT NULL,
    fingerprint bytea NOT NULL,
    PRIMARY KEY (company_id, client_id, key)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

-- The records as accepted. Never updated; removed, if at all, long after their job ended, so that vacuum gives the room
-- to later ones before the table grows by much. Payloads are stored as they come (EXTERNAL), because compressing them would
-- cost the accepting path more processor time than the disk gains, and would be undone when they are read once.
CREATE TABLE chunks (
    company_id   uuid    NOT NULL,
    job_id       uuid    NOT NULL,
    chunk_index  integer NOT NULL,
    first_record bigint  NOT NULL,
    record_count integer NOT NULL CHECK (record_count > 0),
    payload      bytea   NOT NULL,
    PRIMARY KEY (company_id, job_id, chunk_index)
) WITH (autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE chunks ALTER COLUMN payload SET STORAGE EXTERNAL;

-- What happened to a chunk's records. Written once, in the transaction of the effects; the key makes a second time impossible.
CREATE TABLE chunk_results (
    company_id  uuid    NOT NULL,
    job_id      uuid    NOT NULL,
    chunk_index integer NOT NULL,
    outcomes    bytea   NOT NULL,
    errors      bytea,
    PRIMARY KEY (company_id, job_id, chunk_index)
) WITH (autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_scale_factor = 0.05);

-- The message's entries, one row for each chunk that added some: growing one text would rewrite it every time.
CREATE TABLE job_messages (
    company_id  uuid    NOT NULL,
    job_id      uuid    NOT NULL,
    chunk_index integer NOT NULL,
    text        text    NOT NULL,
    PRIMARY KEY (company_id, job_id, chunk_index)
);

-- Requests of several chunks that are still uploading. Few rows, gone at sealing; too few for an index on the time.
-- next_chunk and record_count say what is stored of it, so that neither a chunk nor a record can be missing when it is sealed.
-- An abandoned upload takes no more chunks and cannot be sealed; its row goes last, so a broken sweep is taken up again.
CREATE TABLE uploads (
    company_id   uuid        NOT NULL,
    job_id       uuid        NOT NULL,
    next_chunk   integer     NOT NULL DEFAULT 0,
    record_count bigint      NOT NULL DEFAULT 0,
    touched_at   timestamptz NOT NULL,
    abandoned    boolean     NOT NULL DEFAULT false,
    PRIMARY KEY (company_id, job_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- One row a lane, written by workers; by a sealer only when the lane had no work. head_position: no unfinished job stands
-- before it. not_before is null for a lane that is well: one that is ill, or paused, is out of the claim's way until then.
CREATE TABLE lanes (
    company_id    uuid        NOT NULL,
    lane          text        NOT NULL,
    head_position bigint      NOT NULL DEFAULT 1,
    has_work      boolean     NOT NULL DEFAULT false,
    served_at     timestamptz NOT NULL DEFAULT '-infinity',
    lease_token   uuid,
    lease_until   timestamptz,
    leased_by     text,
    not_before    timestamptz,
    faults        integer     NOT NULL DEFAULT 0,
    fault         text,
    PRIMARY KEY (company_id, lane)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

-- The claim's index: lanes with work only, whatever the number of jobs, queued or ended, and of lanes that wait for a pause to end.
CREATE INDEX lanes_with_work ON lanes (served_at) WHERE has_work AND not_before IS NULL;

-- The lanes that wait; few.
CREATE INDEX lanes_paused ON lanes (not_before) WHERE not_before IS NOT NULL;

-- The place of the next job in each lane, locked and counted up by sealers. It is apart from lanes so that a busy
-- sealer's row lock never makes the claim's SKIP LOCKED pass the lane over.
CREATE TABLE lane_tails (
    company_id      uuid        NOT NULL,
    lane            text        NOT NULL,
    next_position   bigint      NOT NULL DEFAULT 1,
    last_created_at timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (company_id, lane)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
