CREATE TABLE stripe_customers (
  tenant_id TEXT PRIMARY KEY REFERENCES tenants (id),
  customer_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  email TEXT NOT NULL
);
--bun:split
CREATE TABLE stripe_invoices (
  tenant_id TEXT NOT NULL,
  invoice_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  stripe_id TEXT UNIQUE,
  status TEXT NOT NULL,
  hosted_url TEXT NOT NULL,
  sent_at TIMESTAMPTZ,
  problem TEXT NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, invoice_id),
  FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id)
);
--bun:split
CREATE TABLE stripe_credits (
  tenant_id TEXT NOT NULL,
  source_id TEXT NOT NULL,
  invoice_id TEXT NOT NULL,
  stripe_id TEXT NOT NULL UNIQUE,
  PRIMARY KEY (tenant_id, source_id),
  FOREIGN KEY (tenant_id, invoice_id) REFERENCES stripe_invoices (tenant_id, invoice_id)
);
--bun:split
CREATE TABLE stripe_events (
  event_id TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  object_id TEXT NOT NULL,
  received_at TIMESTAMPTZ NOT NULL,
  done_at TIMESTAMPTZ,
  outcome TEXT NOT NULL
);
