CREATE TABLE plan_prices (
  plan TEXT NOT NULL,
  id TEXT NOT NULL,
  from_day TEXT NOT NULL,
  until_day TEXT NOT NULL,
  terms TEXT NOT NULL,
  minimum_fen BIGINT NOT NULL CHECK (minimum_fen >= 0),
  created_by TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (plan, id),
  CHECK (from_day <= until_day)
);
--bun:split
INSERT INTO plan_prices (plan, id, from_day, until_day, terms, minimum_fen, created_by, created_at)
VALUES ('standard', 'standard-0', '0001-01-01', '9999-12-31',
  '{"tiers":[{"fen_per_1000_points":1000}],"tax_bp":600,"tax_included":true}', 0, 'system', '2026-11-22 00:00:00+00:00');
--bun:split
CREATE TABLE tenant_prices (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  from_day TEXT NOT NULL,
  until_day TEXT NOT NULL,
  plan TEXT NOT NULL,
  terms TEXT NOT NULL,
  minimum_fen BIGINT NOT NULL CHECK (minimum_fen >= 0),
  created_by TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CHECK (from_day <= until_day)
);
--bun:split
INSERT INTO tenant_prices (tenant_id, id, from_day, until_day, plan, terms, minimum_fen, created_by, created_at)
SELECT id, id, '0001-01-01', '9999-12-31', '',
  '{"tiers":[{"fen_per_1000_points":' || fen_per_1000_points || '}],"tax_bp":600,"tax_included":true}', 0, 'system', created_at
FROM tenants WHERE fen_per_1000_points <> 1000;
--bun:split
ALTER TABLE tenants DROP COLUMN fen_per_1000_points;
--bun:split
DROP TABLE invoiced_charges;
--bun:split
DROP TABLE invoice_lines;
--bun:split
DROP TABLE invoices;
--bun:split
CREATE INDEX charges_line ON charges (tenant_id, month, type_id, id);
--bun:split
CREATE INDEX charges_order ON charges (tenant_id, order_id);
--bun:split
CREATE TABLE invoices (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  month TEXT NOT NULL,
  state TEXT NOT NULL,
  number TEXT,
  receipts BIGINT NOT NULL,
  points BIGINT NOT NULL,
  net_fen BIGINT NOT NULL,
  tax_fen BIGINT NOT NULL,
  total_fen BIGINT NOT NULL CHECK (total_fen >= 0),
  taxes TEXT NOT NULL,
  previous TEXT,
  paid_fen BIGINT NOT NULL,
  credited_fen BIGINT NOT NULL,
  refunded_fen BIGINT NOT NULL,
  due_day TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  reviewed_at TIMESTAMPTZ,
  finalized_at TIMESTAMPTZ,
  sent_at TIMESTAMPTZ,
  closed_at TIMESTAMPTZ,
  reminded_at TIMESTAMPTZ,
  reminders BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CHECK (net_fen + tax_fen = total_fen),
  CHECK (paid_fen >= 0 AND credited_fen >= 0 AND paid_fen + credited_fen <= total_fen),
  CHECK (refunded_fen >= 0 AND refunded_fen <= paid_fen)
);
--bun:split
CREATE UNIQUE INDEX invoices_month ON invoices (tenant_id, month) WHERE state <> 'void';
--bun:split
CREATE UNIQUE INDEX invoices_number ON invoices (number);
--bun:split
CREATE INDEX invoices_open ON invoices (state, due_day);
--bun:split
CREATE TABLE invoice_lines (
  tenant_id TEXT NOT NULL,
  invoice_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  kind TEXT NOT NULL,
  type_id BIGINT NOT NULL,
  type_name TEXT NOT NULL,
  from_day TEXT NOT NULL,
  until_day TEXT NOT NULL,
  after_id TEXT NOT NULL,
  through_id TEXT NOT NULL,
  unit_points BIGINT NOT NULL,
  unit_fen BIGINT NOT NULL CHECK (unit_fen >= 0),
  receipts BIGINT NOT NULL,
  amount_fen BIGINT NOT NULL CHECK (amount_fen >= 0),
  tax_bp BIGINT NOT NULL,
  tax_included BOOLEAN NOT NULL,
  PRIMARY KEY (tenant_id, invoice_id, ordinal),
  CHECK (kind <> 'receipts' OR amount_fen = receipts * unit_fen),
  FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id)
);
--bun:split
CREATE TABLE number_series (
  series TEXT PRIMARY KEY,
  last BIGINT NOT NULL
);
--bun:split
CREATE TABLE payments (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  invoice_id TEXT NOT NULL,
  fen BIGINT NOT NULL CHECK (fen > 0),
  method TEXT NOT NULL,
  reference TEXT NOT NULL,
  paid_day TEXT NOT NULL,
  recorded_by TEXT NOT NULL,
  recorded_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, invoice_id, reference),
  FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id)
);
--bun:split
CREATE TABLE credit_notes (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  invoice_id TEXT NOT NULL,
  number TEXT NOT NULL UNIQUE,
  reason TEXT NOT NULL,
  net_fen BIGINT NOT NULL,
  tax_fen BIGINT NOT NULL,
  total_fen BIGINT NOT NULL CHECK (total_fen > 0),
  refund TEXT NOT NULL,
  issued_by TEXT NOT NULL,
  issued_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CHECK (net_fen + tax_fen = total_fen),
  FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id)
);
--bun:split
CREATE TABLE free_entries (
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
  outcome TEXT NOT NULL,
  at TIMESTAMPTZ NOT NULL,
  month TEXT NOT NULL,
  day TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, attempt_id),
  FOREIGN KEY (tenant_id, attempt_id) REFERENCES attempts (tenant_id, id)
);
--bun:split
CREATE INDEX free_entries_day ON free_entries (tenant_id, month, day);
--bun:split
CREATE TABLE ocr_calls (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  reading_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  document TEXT NOT NULL,
  outcome TEXT NOT NULL,
  cost_fen BIGINT NOT NULL CHECK (cost_fen >= 0),
  at TIMESTAMPTZ NOT NULL,
  month TEXT NOT NULL,
  day TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, provider, reading_id)
);
--bun:split
CREATE INDEX ocr_calls_day ON ocr_calls (tenant_id, month, day);
--bun:split
CREATE TABLE ledger_heads (
  tenant_id TEXT PRIMARY KEY REFERENCES tenants (id),
  sealed_through TEXT NOT NULL,
  hash TEXT NOT NULL
);
--bun:split
CREATE TABLE ledger_seals (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  day TEXT NOT NULL,
  entries BIGINT NOT NULL,
  points BIGINT NOT NULL,
  marks BYTEA NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL,
  sealed_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, day)
);
