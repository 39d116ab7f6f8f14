-- Ids are 16 bytes, big-endian, so that their order is that of their texts. Times are microseconds since 1970, UTC.
-- The company comes first in every key: its rows lie together, and no query can leave it out and still be fast.

-- Positions up to head_position have ended, those up to tail_position are given: a lane has work when head < tail.
CREATE TABLE lanes (
    company_id    BLOB    NOT NULL,
    lane          TEXT    NOT NULL,
    head_position INTEGER NOT NULL,
    tail_position INTEGER NOT NULL,
    PRIMARY KEY (company_id, lane)
) STRICT, WITHOUT ROWID;

-- Small rows only, because a job's row is written again at each chunk.
CREATE TABLE jobs (
    company_id        BLOB    NOT NULL,
    id                BLOB    NOT NULL,
    type              TEXT    NOT NULL,
    lane              TEXT    NOT NULL,
    position          INTEGER NOT NULL,
    options           TEXT,
    total_records     INTEGER NOT NULL,
    chunk_count       INTEGER NOT NULL,
    next_chunk        INTEGER NOT NULL DEFAULT 0,
    created_records   INTEGER NOT NULL DEFAULT 0,
    updated_records   INTEGER NOT NULL DEFAULT 0,
    unchanged_records INTEGER NOT NULL DEFAULT 0,
    failed_records    INTEGER NOT NULL DEFAULT 0,
    message_entries   INTEGER NOT NULL DEFAULT 0,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    start_time        INTEGER,
    end_time          INTEGER,
    failure           TEXT,
    PRIMARY KEY (company_id, id)
) STRICT, WITHOUT ROWID;

-- Only unfinished jobs are in it: ten million ended ones cost the queue nothing.
CREATE UNIQUE INDEX jobs_unfinished ON jobs (company_id, lane, position) WHERE end_time IS NULL;

-- A request that is still uploading. next_chunk is -1 once its removal has begun: nothing can be appended or sealed then.
CREATE TABLE uploads (
    company_id BLOB    NOT NULL,
    job_id     BLOB    NOT NULL,
    next_chunk INTEGER NOT NULL,
    touched_at INTEGER NOT NULL,
    PRIMARY KEY (company_id, job_id)
) STRICT, WITHOUT ROWID;

-- Rowid tables from here on: large values in the B-tree of the key would make every search read them.
CREATE TABLE chunks (
    company_id   BLOB    NOT NULL,
    job_id       BLOB    NOT NULL,
    chunk_index  INTEGER NOT NULL,
    first_record INTEGER NOT NULL,
    record_count INTEGER NOT NULL,
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
