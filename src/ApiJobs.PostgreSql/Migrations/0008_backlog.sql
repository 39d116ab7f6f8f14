-- What was ever sealed into a lane, and what of it has ended: the difference waits. Each is counted up by whoever has the row
-- locked anyway: sealers the tail's, whoever ends a job the lane's. None of the columns has an index.
ALTER TABLE lane_tails
    ADD COLUMN sealed_records bigint NOT NULL DEFAULT 0,
    ADD COLUMN sealed_bytes   bigint NOT NULL DEFAULT 0;
ALTER TABLE lanes
    ADD COLUMN ended_records bigint NOT NULL DEFAULT 0,
    ADD COLUMN ended_bytes   bigint NOT NULL DEFAULT 0;

-- Of all companies. It is put back in this transaction, by what compares the policies after the scripts.
ALTER TABLE jobs NO FORCE ROW LEVEL SECURITY;
UPDATE lane_tails t SET sealed_records = waiting.records, sealed_bytes = waiting.bytes
FROM (
    SELECT j.company_id, j.lane, sum(j.total_records)::bigint AS records, sum(j.total_bytes)::bigint AS bytes
    FROM lanes l JOIN jobs j ON j.company_id = l.company_id AND j.lane = l.lane AND j.position >= l.head_position
    WHERE l.has_work AND j.end_time IS NULL
    GROUP BY j.company_id, j.lane) waiting
WHERE t.company_id = waiting.company_id AND t.lane = waiting.lane;
