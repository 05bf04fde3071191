CREATE TABLE price_changes (
  id TEXT PRIMARY KEY,
  tenant_id TEXT REFERENCES tenants (id),
  plan TEXT NOT NULL,
  action TEXT NOT NULL,
  from_day TEXT NOT NULL,
  until_day TEXT NOT NULL,
  follows TEXT NOT NULL,
  terms TEXT NOT NULL,
  actor TEXT NOT NULL,
  at TIMESTAMPTZ NOT NULL,
  CHECK ((tenant_id IS NULL) = (plan <> ''))
);
--bun:split
CREATE INDEX price_changes_tenant ON price_changes (tenant_id, id);
--bun:split
CREATE INDEX price_changes_plan ON price_changes (plan, id);
--bun:split
CREATE TABLE wallets (
  tenant_id TEXT PRIMARY KEY REFERENCES tenants (id),
  mode TEXT NOT NULL,
  limit_fen BIGINT NOT NULL CHECK (limit_fen >= 0),
  low_fen BIGINT NOT NULL CHECK (low_fen >= 0),
  balance_fen BIGINT NOT NULL,
  held_fen BIGINT NOT NULL CHECK (held_fen >= 0),
  opened_at TIMESTAMPTZ NOT NULL,
  updated_by TEXT NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);
--bun:split
CREATE TABLE wallet_holds (
  tenant_id TEXT NOT NULL REFERENCES wallets (tenant_id),
  order_id TEXT NOT NULL,
  fen BIGINT NOT NULL CHECK (fen >= 0),
  at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, order_id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
--bun:split
CREATE TABLE wallet_entries (
  tenant_id TEXT NOT NULL REFERENCES wallets (tenant_id),
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  fen BIGINT NOT NULL,
  held_fen BIGINT NOT NULL,
  balance_fen BIGINT NOT NULL,
  order_id TEXT NOT NULL,
  order_number TEXT NOT NULL,
  month TEXT NOT NULL,
  invoice_id TEXT NOT NULL,
  reference TEXT NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, kind, source)
);
--bun:split
CREATE UNIQUE INDEX wallet_entries_top_up ON wallet_entries (reference) WHERE kind = 'top_up';
--bun:split
CREATE INDEX wallet_entries_month ON wallet_entries (tenant_id, month) WHERE month <> '';
--bun:split
CREATE INDEX wallet_entries_invoice ON wallet_entries (tenant_id, invoice_id) WHERE invoice_id <> '';
