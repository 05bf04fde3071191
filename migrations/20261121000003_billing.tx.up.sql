CREATE TABLE charges (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  attempt_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  order_number TEXT NOT NULL,
  type_id BIGINT NOT NULL,
  type_name TEXT NOT NULL,
  city TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  batch_name TEXT NOT NULL,
  points BIGINT NOT NULL CHECK (points > 0),
  at TIMESTAMPTZ NOT NULL,
  month TEXT NOT NULL,
  day TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, attempt_id),
  FOREIGN KEY (tenant_id, attempt_id) REFERENCES attempts (tenant_id, id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
--bun:split
CREATE INDEX charges_usage ON charges (tenant_id, month, day, type_id, type_name, city, points);
--bun:split
CREATE INDEX charges_ledger ON charges (tenant_id, month, id);
--bun:split
CREATE TABLE invoices (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  month TEXT NOT NULL,
  state TEXT NOT NULL,
  fen_per_1000_points BIGINT NOT NULL,
  receipts BIGINT NOT NULL,
  points BIGINT NOT NULL,
  total_fen BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, month)
);
--bun:split
CREATE TABLE invoice_lines (
  tenant_id TEXT NOT NULL,
  invoice_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  type_id BIGINT NOT NULL,
  type_name TEXT NOT NULL,
  unit_points BIGINT NOT NULL,
  unit_fen BIGINT NOT NULL,
  receipts BIGINT NOT NULL,
  amount_fen BIGINT NOT NULL CHECK (amount_fen = receipts * unit_fen),
  PRIMARY KEY (tenant_id, invoice_id, ordinal),
  UNIQUE (tenant_id, invoice_id, type_id, type_name, unit_points),
  FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id)
);
--bun:split
CREATE TABLE invoiced_charges (
  tenant_id TEXT NOT NULL,
  charge_id TEXT NOT NULL,
  invoice_id TEXT NOT NULL,
  line_ordinal BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, charge_id),
  FOREIGN KEY (tenant_id, charge_id) REFERENCES charges (tenant_id, id),
  FOREIGN KEY (tenant_id, invoice_id, line_ordinal) REFERENCES invoice_lines (tenant_id, invoice_id, ordinal)
);
--bun:split
CREATE INDEX invoiced_charges_line ON invoiced_charges (tenant_id, invoice_id, line_ordinal, charge_id);
