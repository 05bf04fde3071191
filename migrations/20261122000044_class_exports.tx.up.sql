ALTER TABLE exports ADD COLUMN kind TEXT NOT NULL DEFAULT 'billing';
--bun:split
ALTER TABLE exports ADD COLUMN subject TEXT NOT NULL DEFAULT '';
--bun:split
ALTER TABLE exports ADD COLUMN rows_left BIGINT NOT NULL DEFAULT 0;
--bun:split
ALTER TABLE exports ADD COLUMN side_key TEXT NOT NULL DEFAULT '';
--bun:split
ALTER TABLE exports ADD COLUMN side_size BIGINT NOT NULL DEFAULT 0;
--bun:split
CREATE INDEX exports_subject ON exports (owner, kind, subject, id);
--bun:split
CREATE INDEX orders_of_person ON orders (tenant_id, person_id, id, status, simulate, batch_id, valid_until) WHERE person_id IS NOT NULL;
--bun:split
CREATE INDEX people_class ON people (tenant_id, roster_id, grade, class, place, id);
