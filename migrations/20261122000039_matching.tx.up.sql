ALTER TABLE batches ADD COLUMN roster_id TEXT;
--bun:split
CREATE INDEX batches_roster ON batches (tenant_id, roster_id) WHERE roster_id IS NOT NULL;
--bun:split
ALTER TABLE orders ADD COLUMN person_id TEXT;
--bun:split
ALTER TABLE orders ADD COLUMN matched_by TEXT NOT NULL DEFAULT '';
--bun:split
ALTER TABLE orders ADD COLUMN match_reason TEXT NOT NULL DEFAULT '';
--bun:split
ALTER TABLE orders ADD COLUMN match_candidates JSONB;
--bun:split
CREATE UNIQUE INDEX orders_person ON orders (tenant_id, batch_id, person_id) WHERE person_id IS NOT NULL AND status <> 'cancelled';
