CREATE TABLE ocr_policies (
  tenant_id TEXT PRIMARY KEY REFERENCES tenants (id),
  engines JSONB NOT NULL,
  second_opinion BOOLEAN NOT NULL,
  daily_cap_fen BIGINT,
  consented_by TEXT NOT NULL,
  consented_at TIMESTAMPTZ,
  updated_at TIMESTAMPTZ NOT NULL
);
--bun:split
CREATE TABLE recognition_calls (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  engine TEXT NOT NULL,
  doc_type TEXT NOT NULL,
  picture_id TEXT NOT NULL,
  purpose TEXT NOT NULL,
  outcome TEXT NOT NULL,
  code BIGINT NOT NULL,
  http_status BIGINT NOT NULL,
  charge TEXT NOT NULL,
  price_fen BIGINT NOT NULL,
  reference TEXT NOT NULL,
  day TEXT NOT NULL,
  at TIMESTAMPTZ NOT NULL,
  lease_until TIMESTAMPTZ,
  took_ms BIGINT NOT NULL,
  raw_until TIMESTAMPTZ,
  PRIMARY KEY (tenant_id, id)
);
--bun:split
CREATE INDEX recognition_calls_day ON recognition_calls (tenant_id, day, engine, charge, price_fen);
--bun:split
CREATE INDEX recognition_calls_health ON recognition_calls (engine, at, outcome, took_ms, charge, price_fen);
--bun:split
CREATE INDEX recognition_calls_picture ON recognition_calls (tenant_id, picture_id);
--bun:split
CREATE INDEX recognition_calls_lease ON recognition_calls (lease_until) WHERE lease_until IS NOT NULL;
--bun:split
CREATE INDEX recognition_calls_raw ON recognition_calls (raw_until) WHERE raw_until IS NOT NULL;
--bun:split
CREATE TABLE ocr_answers (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  sha256 TEXT NOT NULL,
  engine TEXT NOT NULL,
  doc_type TEXT NOT NULL,
  call_id TEXT NOT NULL,
  outcome TEXT NOT NULL,
  lease_until TIMESTAMPTZ,
  reading JSONB,
  crops JSONB,
  PRIMARY KEY (tenant_id, sha256, engine, doc_type)
);
--bun:split
CREATE TABLE ocr_engines (
  engine TEXT PRIMARY KEY,
  failures BIGINT NOT NULL,
  reason TEXT NOT NULL,
  since TIMESTAMPTZ NOT NULL,
  rest_until TIMESTAMPTZ
);
--bun:split
ALTER TABLE readings ADD COLUMN call_id TEXT NOT NULL DEFAULT '';
--bun:split
ALTER TABLE readings ADD COLUMN source TEXT NOT NULL DEFAULT '';
--bun:split
ALTER TABLE readings ADD COLUMN second TEXT NOT NULL DEFAULT '';
