ALTER TABLE batches ADD COLUMN counter_key TEXT;
--bun:split
CREATE UNIQUE INDEX batches_counter ON batches (tenant_id, counter_key) WHERE counter_key IS NOT NULL;
--bun:split
ALTER TABLE pictures ADD COLUMN customer_id TEXT;
--bun:split
ALTER TABLE pictures ADD COLUMN expected TEXT NOT NULL DEFAULT '';
--bun:split
DROP INDEX pictures_once;
--bun:split
CREATE UNIQUE INDEX pictures_once ON pictures (tenant_id, batch_id, sha256) WHERE NOT fetched AND customer_id IS NULL;
--bun:split
CREATE UNIQUE INDEX pictures_of_customer ON pictures (tenant_id, customer_id, sha256) WHERE customer_id IS NOT NULL;
--bun:split
CREATE TABLE customers (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  photo_id TEXT,
  front_id TEXT,
  back_id TEXT,
  order_id TEXT,
  fields JSONB NOT NULL,
  version BIGINT NOT NULL,
  clerk TEXT NOT NULL,
  token TEXT UNIQUE,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  ended_at TIMESTAMPTZ,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, batch_id) REFERENCES batches (tenant_id, id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
--bun:split
CREATE INDEX customers_day ON customers (tenant_id, created_at);
--bun:split
CREATE INDEX customers_waiting ON customers (tenant_id, id) WHERE ended_at IS NULL;
--bun:split
CREATE TABLE desks (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  user_id TEXT NOT NULL,
  type_id BIGINT NOT NULL,
  city TEXT NOT NULL,
  simulate BOOLEAN NOT NULL,
  PRIMARY KEY (tenant_id, user_id)
);
