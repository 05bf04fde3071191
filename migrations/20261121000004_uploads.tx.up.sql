CREATE TABLE archives (
  tenant_id TEXT NOT NULL,
  upload_id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  blob_key TEXT NOT NULL,
  entries BIGINT NOT NULL,
  done BIGINT NOT NULL,
  unpacked BIGINT NOT NULL,
  finished BOOLEAN NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, upload_id),
  FOREIGN KEY (tenant_id, batch_id) REFERENCES batches (tenant_id, id)
);
--bun:split
CREATE UNIQUE INDEX archives_once ON archives (tenant_id, batch_id, blob_key);
--bun:split
CREATE INDEX pictures_content ON pictures (tenant_id, sha256);
--bun:split
ALTER TABLE pictures ADD COLUMN problem_args JSONB;
