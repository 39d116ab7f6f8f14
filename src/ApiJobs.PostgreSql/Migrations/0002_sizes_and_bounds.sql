-- How much of a store a job takes while it waits, and how many of its records may fail before it is given up. Neither changes
-- after sealing, so a job's updates stay on their page.
ALTER TABLE jobs
    ADD COLUMN total_bytes bigint NOT NULL DEFAULT 0,
    ADD COLUMN max_failed  bigint CHECK (max_failed >= 0);
