ALTER TABLE orders ADD COLUMN custom JSONB;
--bun:split
ALTER TABLE attempts ADD COLUMN scanned_at TIMESTAMPTZ;
--bun:split
ALTER TABLE attempts ADD COLUMN hinted_no TEXT NOT NULL DEFAULT '';
--bun:split
DROP INDEX attempts_queue;
--bun:split
CREATE INDEX attempts_queue ON attempts (tenant_id, not_before, id) WHERE live AND status = 'queued';
--bun:split
CREATE INDEX attempts_status ON attempts (status, tenant_id) WHERE live;
--bun:split
CREATE INDEX attempts_usual ON attempts (type_id, finished_at) WHERE status = 'completed' AND NOT simulate;
--bun:split
CREATE INDEX charges_at ON charges (at, points);
--bun:split
DROP TABLE provider_accounts;
--bun:split
CREATE TABLE provider_accounts (
  id TEXT PRIMARY KEY,
  stop_key TEXT NOT NULL,
  stopped_at TIMESTAMPTZ,
  probe_at TIMESTAMPTZ,
  probes BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  trial BOOLEAN NOT NULL,
  next_call_at TIMESTAMPTZ,
  balance_points BIGINT,
  balance_at TIMESTAMPTZ
);
--bun:split
CREATE TABLE provider_events (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  at TIMESTAMPTZ NOT NULL,
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL
);
--bun:split
CREATE INDEX provider_events_account ON provider_events (account, id);
--bun:split
CREATE TABLE provider_calls (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  op TEXT NOT NULL,
  at TIMESTAMPTZ NOT NULL,
  hour BIGINT NOT NULL,
  took_us BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  code BIGINT NOT NULL,
  http_status BIGINT NOT NULL,
  message TEXT NOT NULL,
  items BIGINT NOT NULL
);
--bun:split
CREATE INDEX provider_calls_op ON provider_calls (account, op, id, took_us);
--bun:split
CREATE INDEX provider_calls_hour ON provider_calls (account, hour, op, outcome);
--bun:split
CREATE TABLE attempt_calls (
  tenant_id TEXT NOT NULL,
  attempt_id TEXT NOT NULL,
  call_id TEXT NOT NULL,
  answer TEXT NOT NULL,
  PRIMARY KEY (tenant_id, attempt_id, call_id),
  FOREIGN KEY (tenant_id, attempt_id) REFERENCES attempts (tenant_id, id)
);
--bun:split
CREATE INDEX attempt_calls_age ON attempt_calls (call_id);
--bun:split
CREATE TABLE catalogue_versions (
  provider TEXT NOT NULL,
  version BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  types JSONB NOT NULL,
  fetched_at TIMESTAMPTZ NOT NULL,
  seen_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (provider, version)
);
--bun:split
INSERT INTO catalogue_versions
  SELECT provider, row_number() OVER (PARTITION BY provider ORDER BY fetched_at, id), sha256, types, fetched_at, fetched_at FROM catalogues;
--bun:split
DROP TABLE catalogues;
