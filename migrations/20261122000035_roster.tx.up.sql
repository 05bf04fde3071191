CREATE TABLE rosters (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  people BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
--bun:split
CREATE TABLE people (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  roster_id TEXT NOT NULL,
  name TEXT NOT NULL,
  id_number TEXT NOT NULL,
  student_number TEXT NOT NULL,
  grade TEXT NOT NULL,
  class TEXT NOT NULL,
  sex TEXT NOT NULL,
  place TEXT NOT NULL,
  edited JSONB,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, roster_id) REFERENCES rosters (tenant_id, id)
);
--bun:split
CREATE UNIQUE INDEX people_id_number ON people (tenant_id, roster_id, id_number) WHERE id_number <> '';
--bun:split
CREATE UNIQUE INDEX people_student_number ON people (tenant_id, roster_id, student_number, grade, class) WHERE student_number <> '';
--bun:split
CREATE INDEX people_place ON people (tenant_id, roster_id, place, id);
--bun:split
CREATE INDEX people_name ON people (tenant_id, roster_id, name);
--bun:split
CREATE TABLE roster_headers (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  header TEXT NOT NULL,
  field TEXT NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, header)
);
--bun:split
CREATE TABLE roster_imports (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  roster_id TEXT NOT NULL,
  file TEXT NOT NULL,
  blob_key TEXT NOT NULL,
  format TEXT NOT NULL,
  state TEXT NOT NULL,
  problem_key TEXT NOT NULL,
  problem_args JSONB,
  header_row BIGINT NOT NULL,
  columns JSONB,
  done BIGINT NOT NULL,
  total BIGINT NOT NULL,
  counts JSONB NOT NULL,
  roster_version BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, roster_id) REFERENCES rosters (tenant_id, id)
);
--bun:split
CREATE INDEX roster_imports_roster ON roster_imports (tenant_id, roster_id, id);
--bun:split
CREATE TABLE roster_import_rows (
  tenant_id TEXT NOT NULL,
  import_id TEXT NOT NULL,
  row BIGINT NOT NULL,
  kind TEXT NOT NULL,
  person_id TEXT,
  vals JSONB NOT NULL,
  former JSONB,
  issues JSONB,
  PRIMARY KEY (tenant_id, import_id, row),
  FOREIGN KEY (tenant_id, import_id) REFERENCES roster_imports (tenant_id, id)
);
--bun:split
CREATE INDEX roster_import_rows_kind ON roster_import_rows (tenant_id, import_id, kind, row);
--bun:split
CREATE INDEX roster_import_rows_person ON roster_import_rows (tenant_id, import_id, person_id);
