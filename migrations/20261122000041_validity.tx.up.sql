ALTER TABLE orders ADD COLUMN valid_until TIMESTAMPTZ;
--bun:split
ALTER TABLE orders ADD COLUMN valid_by TEXT NOT NULL DEFAULT '';
--bun:split
ALTER TABLE orders ADD COLUMN renews_id TEXT;
--bun:split
CREATE INDEX orders_validity ON orders (tenant_id, valid_until, id) WHERE valid_until IS NOT NULL;
--bun:split
CREATE INDEX orders_unreckoned ON orders (valid_by) WHERE status = 'completed' AND NOT simulate;
--bun:split
CREATE UNIQUE INDEX orders_renewal ON orders (tenant_id, renews_id) WHERE renews_id IS NOT NULL AND status <> 'cancelled';
