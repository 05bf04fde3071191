ALTER TABLE orders ADD COLUMN review_rank BIGINT NOT NULL DEFAULT 0;
--bun:split
UPDATE orders SET review_rank = 1 WHERE exceptions = 0;
--bun:split
CREATE INDEX orders_queue ON orders (tenant_id, batch_id, review_rank, seq) WHERE status = 'review';
--bun:split
CREATE TABLE review_claims (
  tenant_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  former_id TEXT NOT NULL,
  token TEXT NOT NULL,
  review_rank BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  corrections BIGINT NOT NULL,
  shown_at TIMESTAMPTZ,
  until TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, order_id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
--bun:split
CREATE INDEX review_claims_batch ON review_claims (tenant_id, batch_id, user_id);
--bun:split
CREATE TABLE review_confirmations (
  tenant_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  bulk_id TEXT,
  version BIGINT NOT NULL,
  settled JSONB,
  took_ms BIGINT,
  corrections BIGINT NOT NULL,
  pointer_uses BIGINT NOT NULL,
  confirmed_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, order_id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
--bun:split
CREATE INDEX review_confirmations_batch ON review_confirmations (tenant_id, batch_id, user_id, confirmed_at);
--bun:split
CREATE INDEX review_confirmations_bulk ON review_confirmations (tenant_id, bulk_id) WHERE bulk_id IS NOT NULL;
