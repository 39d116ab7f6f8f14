-- How much of the store a job takes while it waits, and how many of its records may fail before it is given up.
ALTER TABLE jobs ADD COLUMN total_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN max_failed INTEGER CHECK (max_failed >= 0);
