CREATE TABLE fapiao_profiles (
  tenant_id TEXT PRIMARY KEY REFERENCES tenants (id),
  profile TEXT NOT NULL,
  updated_by TEXT NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);
--bun:split
CREATE TABLE fapiaos (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  invoice_id TEXT NOT NULL,
  original_id TEXT,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  fen BIGINT NOT NULL,
  title TEXT NOT NULL,
  note TEXT NOT NULL,
  number TEXT NOT NULL,
  issued_day TEXT NOT NULL,
  file_key TEXT NOT NULL,
  file_type TEXT NOT NULL,
  reason TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at TIMESTAMPTZ NOT NULL,
  closed_by TEXT NOT NULL,
  closed_at TIMESTAMPTZ,
  PRIMARY KEY (tenant_id, id),
  CHECK ((original_id IS NULL AND fen > 0) OR (original_id IS NOT NULL AND fen < 0)),
  FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id),
  FOREIGN KEY (tenant_id, original_id) REFERENCES fapiaos (tenant_id, id)
);
--bun:split
CREATE INDEX fapiaos_invoice ON fapiaos (tenant_id, invoice_id);
--bun:split
CREATE INDEX fapiaos_state ON fapiaos (state, id);
--bun:split
CREATE UNIQUE INDEX fapiaos_number ON fapiaos (number) WHERE number <> '';
--bun:split
CREATE UNIQUE INDEX fapiaos_red ON fapiaos (tenant_id, original_id) WHERE original_id IS NOT NULL;
--bun:split
CREATE TABLE voucher_layouts (
  id TEXT PRIMARY KEY,
  layout TEXT NOT NULL,
  updated_by TEXT NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);
--bun:split
CREATE TABLE exports (
  owner TEXT NOT NULL,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  request TEXT NOT NULL,
  language TEXT NOT NULL,
  state TEXT NOT NULL,
  rows_total BIGINT NOT NULL,
  rows_done BIGINT NOT NULL,
  file_key TEXT NOT NULL,
  size BIGINT NOT NULL,
  problem TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ,
  expires_at TIMESTAMPTZ,
  PRIMARY KEY (owner, id)
);
--bun:split
CREATE INDEX exports_expiry ON exports (state, expires_at);
--bun:split
CREATE TABLE export_presets (
  owner TEXT NOT NULL,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  request TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (owner, id),
  UNIQUE (owner, user_id, name)
);
