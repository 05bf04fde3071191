ALTER TABLE orders ADD COLUMN retake_at TIMESTAMPTZ;
--bun:split
CREATE TABLE collections (
  tenant_id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  organiser TEXT NOT NULL,
  contact TEXT NOT NULL,
  tries BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, batch_id),
  FOREIGN KEY (tenant_id, batch_id) REFERENCES batches (tenant_id, id)
);
--bun:split
CREATE TABLE collection_links (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  reach TEXT NOT NULL,
  grade TEXT NOT NULL,
  class TEXT NOT NULL,
  person_id TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  ends_at TIMESTAMPTZ NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, batch_id) REFERENCES collections (tenant_id, batch_id)
);
--bun:split
CREATE UNIQUE INDEX collection_links_token ON collection_links (token_hash);
--bun:split
CREATE UNIQUE INDEX collection_links_once ON collection_links (tenant_id, batch_id, reach, grade, class, person_id);
--bun:split
CREATE TABLE collection_consents (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  person_id TEXT NOT NULL,
  link_id TEXT NOT NULL,
  version TEXT NOT NULL,
  language TEXT NOT NULL,
  text TEXT NOT NULL,
  child BOOLEAN NOT NULL,
  guardian TEXT NOT NULL,
  relation TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, batch_id) REFERENCES collections (tenant_id, batch_id),
  FOREIGN KEY (tenant_id, person_id) REFERENCES people (tenant_id, id)
);
--bun:split
CREATE INDEX collection_consents_person ON collection_consents (tenant_id, batch_id, person_id, id);
--bun:split
CREATE TABLE collection_sendings (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  person_id TEXT NOT NULL,
  link_id TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  outcome TEXT NOT NULL,
  findings JSONB,
  picture_id TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, picture_id) REFERENCES pictures (tenant_id, id)
);
--bun:split
CREATE UNIQUE INDEX collection_sendings_once ON collection_sendings (tenant_id, batch_id, person_id, sha256);
--bun:split
CREATE TABLE collection_retakes (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  person_id TEXT NOT NULL,
  reasons JSONB,
  note TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
--bun:split
CREATE INDEX collection_retakes_person ON collection_retakes (tenant_id, batch_id, person_id, id);
