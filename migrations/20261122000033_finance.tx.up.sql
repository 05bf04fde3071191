CREATE INDEX invoices_by_month ON invoices (month, id);
--bun:split
CREATE TABLE point_costs (
  from_month TEXT PRIMARY KEY,
  fen_per_1000_points BIGINT NOT NULL CHECK (fen_per_1000_points >= 0),
  set_by TEXT NOT NULL,
  set_at TIMESTAMPTZ NOT NULL
);
--bun:split
CREATE TABLE bulk_runs (
  id TEXT PRIMARY KEY,
  action TEXT NOT NULL,
  month TEXT NOT NULL,
  actor TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ
);
--bun:split
CREATE TABLE bulk_items (
  run_id TEXT NOT NULL REFERENCES bulk_runs (id),
  ordinal BIGINT NOT NULL,
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  invoice_id TEXT NOT NULL,
  seen_at TIMESTAMPTZ,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  reason_args TEXT NOT NULL,
  PRIMARY KEY (run_id, ordinal)
);
