ALTER TABLE api_keys ADD COLUMN test BOOLEAN NOT NULL DEFAULT FALSE;
--bun:split
ALTER TABLE batches ADD COLUMN intake_key TEXT;
--bun:split
CREATE UNIQUE INDEX batches_intake ON batches (tenant_id, intake_key) WHERE intake_key IS NOT NULL;
--bun:split
ALTER TABLE pictures ADD COLUMN fetched BOOLEAN NOT NULL DEFAULT FALSE;
--bun:split
DROP INDEX pictures_once;
--bun:split
CREATE UNIQUE INDEX pictures_once ON pictures (tenant_id, batch_id, sha256) WHERE NOT fetched;
--bun:split
ALTER TABLE orders ADD COLUMN simulate_result TEXT NOT NULL DEFAULT '';
--bun:split
ALTER TABLE attempts ADD COLUMN simulate_result TEXT NOT NULL DEFAULT '';
--bun:split
CREATE TABLE api_applications (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  application_no TEXT NOT NULL,
  key_id TEXT NOT NULL,
  test BOOLEAN NOT NULL,
  order_id TEXT NOT NULL,
  type_name TEXT NOT NULL,
  custom_fields TEXT NOT NULL,
  photo_url TEXT NOT NULL,
  photo_tries BIGINT NOT NULL,
  callback_url TEXT NOT NULL,
  callback_tries BIGINT NOT NULL,
  callback_done BOOLEAN NOT NULL,
  simulate BOOLEAN NOT NULL,
  status TEXT NOT NULL,
  message TEXT NOT NULL,
  image_code TEXT NOT NULL,
  file_token TEXT NOT NULL UNIQUE,
  result_file TEXT NOT NULL,
  photo_file TEXT NOT NULL,
  submitted_at TIMESTAMPTZ NOT NULL,
  process_at TIMESTAMPTZ,
  completed_at TIMESTAMPTZ,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, application_no),
  UNIQUE (tenant_id, order_id),
  FOREIGN KEY (tenant_id, key_id) REFERENCES api_keys (tenant_id, id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
--bun:split
CREATE INDEX api_applications_status ON api_applications (tenant_id, status, id);
--bun:split
CREATE INDEX api_applications_test ON api_applications (tenant_id, status, id) WHERE test;
--bun:split
CREATE TABLE api_callbacks (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  application_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  at TIMESTAMPTZ NOT NULL,
  took_ms BIGINT NOT NULL,
  http_status BIGINT NOT NULL,
  problem_key TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, application_id) REFERENCES api_applications (tenant_id, id)
);
--bun:split
CREATE INDEX api_callbacks_application ON api_callbacks (tenant_id, application_id, ordinal);
--bun:split
CREATE TABLE api_numbers (
  id BIGINT PRIMARY KEY,
  last BIGINT NOT NULL
);
