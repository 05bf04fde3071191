CREATE TABLE catalogues (
  id TEXT PRIMARY KEY,
  provider TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  types JSONB NOT NULL,
  fetched_at TIMESTAMPTZ NOT NULL,
  UNIQUE (provider, sha256)
);
--bun:split
CREATE TABLE batches (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  type_id BIGINT NOT NULL,
  type_name TEXT NOT NULL,
  city TEXT NOT NULL,
  required_fields JSONB,
  simulate BOOLEAN NOT NULL,
  pending_pictures BIGINT NOT NULL,
  next_seq BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
--bun:split
CREATE TABLE uploads (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  name TEXT NOT NULL,
  size BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  outcome TEXT NOT NULL,
  reason_key TEXT NOT NULL,
  reason_args JSONB,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, batch_id) REFERENCES batches (tenant_id, id)
);
--bun:split
CREATE INDEX uploads_batch ON uploads (tenant_id, batch_id, outcome);
--bun:split
CREATE UNIQUE INDEX uploads_once ON uploads (tenant_id, batch_id, sha256, name);
--bun:split
CREATE TABLE pictures (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  name TEXT NOT NULL,
  pair_key TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  original_key TEXT NOT NULL,
  state TEXT NOT NULL,
  kind TEXT NOT NULL,
  problem_key TEXT NOT NULL,
  format TEXT NOT NULL,
  width BIGINT NOT NULL,
  height BIGINT NOT NULL,
  working_key TEXT NOT NULL,
  preview_key TEXT NOT NULL,
  thumb_key TEXT NOT NULL,
  findings JSONB,
  order_id TEXT,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, batch_id) REFERENCES batches (tenant_id, id)
);
--bun:split
CREATE UNIQUE INDEX pictures_once ON pictures (tenant_id, batch_id, sha256);
--bun:split
CREATE INDEX pictures_pairing ON pictures (tenant_id, batch_id, kind, pair_key);
--bun:split
CREATE TABLE readings (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  picture_id TEXT NOT NULL,
  engine TEXT NOT NULL,
  doc_type TEXT NOT NULL,
  fields JSONB NOT NULL,
  crops JSONB NOT NULL,
  took_ms BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, picture_id) REFERENCES pictures (tenant_id, id)
);
--bun:split
CREATE INDEX readings_picture ON readings (tenant_id, picture_id);
--bun:split
CREATE TABLE orders (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  number TEXT NOT NULL,
  status TEXT NOT NULL,
  seq BIGINT NOT NULL,
  type_id BIGINT NOT NULL,
  type_name TEXT NOT NULL,
  city TEXT NOT NULL,
  required_fields JSONB,
  simulate BOOLEAN NOT NULL,
  photo_id TEXT NOT NULL,
  front_id TEXT,
  back_id TEXT,
  paired_by TEXT NOT NULL,
  name TEXT NOT NULL,
  id_number TEXT NOT NULL,
  fields JSONB NOT NULL,
  exceptions BIGINT NOT NULL,
  exception_keys JSONB,
  version BIGINT NOT NULL,
  message TEXT NOT NULL,
  image_code TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  completed_at TIMESTAMPTZ,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, number),
  FOREIGN KEY (tenant_id, batch_id) REFERENCES batches (tenant_id, id),
  FOREIGN KEY (tenant_id, photo_id) REFERENCES pictures (tenant_id, id)
);
--bun:split
CREATE INDEX orders_batch ON orders (tenant_id, batch_id, status);
--bun:split
CREATE INDEX orders_review ON orders (tenant_id, batch_id, exceptions, seq);
--bun:split
CREATE INDEX orders_status ON orders (tenant_id, status, id);
--bun:split
CREATE INDEX orders_name ON orders (tenant_id, name);
--bun:split
CREATE INDEX orders_id_number ON orders (tenant_id, id_number);
--bun:split
CREATE TABLE attempts (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  status TEXT NOT NULL,
  live BOOLEAN NOT NULL,
  simulate BOOLEAN NOT NULL,
  reference TEXT NOT NULL UNIQUE,
  photo_token TEXT NOT NULL UNIQUE,
  callback_token TEXT NOT NULL UNIQUE,
  type_id BIGINT NOT NULL,
  custom_fields JSONB NOT NULL,
  photo_key TEXT NOT NULL,
  photo_fetches BIGINT NOT NULL,
  application_no TEXT,
  provider_status TEXT NOT NULL,
  message TEXT NOT NULL,
  error_key TEXT NOT NULL,
  submitted_by TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  not_before TIMESTAMPTZ NOT NULL,
  dispatched_at TIMESTAMPTZ,
  lease_until TIMESTAMPTZ,
  answered_at TIMESTAMPTZ,
  next_poll_at TIMESTAMPTZ,
  polls BIGINT NOT NULL,
  unknown_since TIMESTAMPTZ,
  clean_scans BIGINT NOT NULL,
  scans BIGINT NOT NULL,
  finished_at TIMESTAMPTZ,
  provider_times JSONB,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, order_id, ordinal),
  FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
--bun:split
CREATE UNIQUE INDEX attempts_one_live ON attempts (tenant_id, order_id) WHERE live;
--bun:split
CREATE UNIQUE INDEX attempts_application ON attempts (application_no) WHERE application_no IS NOT NULL;
--bun:split
CREATE INDEX attempts_queue ON attempts (status, not_before, tenant_id) WHERE live;
--bun:split
CREATE INDEX attempts_poll ON attempts (next_poll_at) WHERE live;
--bun:split
CREATE TABLE dispatch_turns (
  tenant_id TEXT PRIMARY KEY REFERENCES tenants (id),
  last_turn TIMESTAMPTZ NOT NULL
);
--bun:split
CREATE TABLE provider_accounts (
  id TEXT PRIMARY KEY,
  paused_until TIMESTAMPTZ,
  paused_key TEXT NOT NULL,
  paused_since TIMESTAMPTZ
);
--bun:split
CREATE TABLE order_events (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  attempt_id TEXT,
  at TIMESTAMPTZ NOT NULL,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  detail JSONB,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
--bun:split
CREATE INDEX order_events_order ON order_events (tenant_id, order_id, id);
--bun:split
CREATE TABLE receipts (
  tenant_id TEXT NOT NULL,
  attempt_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  state TEXT NOT NULL,
  image_code TEXT NOT NULL,
  result_url TEXT NOT NULL,
  photo_url TEXT NOT NULL,
  result_key TEXT NOT NULL,
  result_type TEXT NOT NULL,
  result_sha256 TEXT NOT NULL,
  result_size BIGINT NOT NULL,
  photo_key TEXT NOT NULL,
  photo_type TEXT NOT NULL,
  photo_sha256 TEXT NOT NULL,
  photo_size BIGINT NOT NULL,
  error_key TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  fetched_at TIMESTAMPTZ,
  PRIMARY KEY (tenant_id, attempt_id),
  FOREIGN KEY (tenant_id, attempt_id) REFERENCES attempts (tenant_id, id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
--bun:split
CREATE INDEX receipts_order ON receipts (tenant_id, order_id);
