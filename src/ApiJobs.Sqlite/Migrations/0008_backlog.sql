-- What was ever sealed into a lane, and what of it has ended: the difference waits. Both are counted up where the lane's row is
-- written anyway.
ALTER TABLE lanes ADD COLUMN sealed_records INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lanes ADD COLUMN sealed_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lanes ADD COLUMN ended_records INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lanes ADD COLUMN ended_bytes INTEGER NOT NULL DEFAULT 0;

UPDATE lanes SET sealed_records = waiting.records, sealed_bytes = waiting.bytes
FROM (SELECT company_id, lane, sum(total_records) AS records, sum(total_bytes) AS bytes FROM jobs WHERE end_time IS NULL GROUP BY company_id, lane) AS waiting
WHERE lanes.company_id = waiting.company_id AND lanes.lane = waiting.lane;
