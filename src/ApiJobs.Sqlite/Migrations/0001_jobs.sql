-- Ids are 16 bytes, big-endian, so that their order is that of their texts. Times are microseconds since 1970, UTC.
-- The company comes first in every key: its rows lie together, and no query can leave it out and still be fast.

-- No unfinished job stands before head_position; the next job sealed gets next_position: a lane has work when head < next.
-- A lane that cannot go on is left alone until not_before. Leases are in memory, because one process owns the file.
CREATE TABLE lanes (
    company_id      BLOB    NOT NULL,
    lane            TEXT    NOT NULL,
    head_position   INTEGER NOT NULL DEFAULT 1,
    next_position   INTEGER NOT NULL DEFAULT 1,
    last_created_at INTEGER NOT NULL DEFAULT 0,
    last_ended_at   INTEGER NOT NULL DEFAULT 0,
    not_before      INTEGER,
    faults          INTEGER NOT NULL DEFAULT 0,
    fault           TEXT,
    PRIMARY KEY (company_id, lane),
    CHECK (head_position <= next_position),
    CHECK ((faults = 0) = (fault IS NULL))
) STRICT, WITHOUT ROWID;

-- Small rows only, because a job's row is written again at each chunk.
CREATE TABLE jobs (
    company_id      BLOB    NOT NULL,
    id              BLOB    NOT NULL,
    type            TEXT    NOT NULL,
    lane            TEXT    NOT NULL,
    position        INTEGER NOT NULL,
    options         TEXT,
    client_id       TEXT,
    parent_id       BLOB,
    idempotency_key TEXT,
    trace_parent    TEXT,
    total_records   INTEGER NOT NULL,
    chunk_count     INTEGER NOT NULL,
    next_chunk      INTEGER NOT NULL DEFAULT 0,
    created_count   INTEGER NOT NULL DEFAULT 0,
    updated_count   INTEGER NOT NULL DEFAULT 0,
    unchanged_count INTEGER NOT NULL DEFAULT 0,
    failed_count    INTEGER NOT NULL DEFAULT 0,
    message_entries INTEGER NOT NULL DEFAULT 0,
    message_bytes   INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    start_time      INTEGER,
    end_time        INTEGER,
    failure_code    TEXT,
    failure         TEXT,
    PRIMARY KEY (company_id, id),
    CHECK (next_chunk BETWEEN 0 AND chunk_count),
    CHECK (created_count + updated_count + unchanged_count + failed_count <= total_records),
    CHECK ((failure_code IS NULL) = (failure IS NULL)),
    CHECK (failure_code IS NULL OR end_time IS NOT NULL),
    CHECK (end_time IS NULL OR failure_code IS NOT NULL OR next_chunk = chunk_count)
) STRICT, WITHOUT ROWID;

-- Only unfinished jobs are in it: ten million ended ones cost the queue nothing.
CREATE UNIQUE INDEX jobs_unfinished ON jobs (company_id, lane, position) WHERE end_time IS NULL;

-- One key, one job: a client that sends a request again finds the job it made. Written when the job is sealed, gone with it.
CREATE TABLE idempotency_keys (
    company_id  BLOB NOT NULL,
    client_id   TEXT NOT NULL,
    key         TEXT NOT NULL,
    job_id      BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    PRIMARY KEY (company_id, client_id, key)
) STRICT, WITHOUT ROWID;

-- A request that is still uploading. next_chunk is -1 once its removal has begun: nothing can be appended or sealed then.
CREATE TABLE uploads (
    company_id  BLOB    NOT NULL,
    job_id      BLOB    NOT NULL,
    next_chunk  INTEGER NOT NULL,
    next_record INTEGER NOT NULL,
    touched_at  INTEGER NOT NULL,
    PRIMARY KEY (company_id, job_id)
) STRICT, WITHOUT ROWID;

-- Rowid tables from here on: large values in the B-tree of the key would make every search read them.
CREATE TABLE chunks (
    company_id   BLOB    NOT NULL,
    job_id       BLOB    NOT NULL,
    chunk_index  INTEGER NOT NULL,
    first_record INTEGER NOT NULL,
    record_count INTEGER NOT NULL CHECK (record_count > 0),
    payload      BLOB    NOT NULL,
    PRIMARY KEY (company_id, job_id, chunk_index)
) STRICT;

-- Apart from the chunks, so that applying one does not write its payload again.
CREATE TABLE chunk_results (
    company_id  BLOB    NOT NULL,
    job_id      BLOB    NOT NULL,
    chunk_index INTEGER NOT NULL,
    outcomes    BLOB    NOT NULL,
    errors      BLOB,
    PRIMARY KEY (company_id, job_id, chunk_index)
) STRICT;

-- A row for each chunk that adds to its job's message; most add nothing.
CREATE TABLE job_messages (
    company_id  BLOB    NOT NULL,
    job_id      BLOB    NOT NULL,
    chunk_index INTEGER NOT NULL,
    text        TEXT    NOT NULL,
    PRIMARY KEY (company_id, job_id, chunk_index)
) STRICT;
