CREATE TABLE reconcile_runs (
  id TEXT PRIMARY KEY,
  months TEXT NOT NULL,
  state TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at TIMESTAMPTZ NOT NULL,
  started_at TIMESTAMPTZ,
  lease_until TIMESTAMPTZ,
  finished_at TIMESTAMPTZ,
  stage TEXT NOT NULL,
  pages BIGINT NOT NULL,
  total_pages BIGINT NOT NULL,
  problem TEXT NOT NULL,
  cause TEXT NOT NULL
);
--bun:split
CREATE UNIQUE INDEX reconcile_runs_active ON reconcile_runs (active) WHERE active;
--bun:split
CREATE TABLE reconcile_results (
  month TEXT NOT NULL,
  run_id TEXT NOT NULL REFERENCES reconcile_runs (id),
  totals TEXT NOT NULL,
  PRIMARY KEY (month, run_id)
);
--bun:split
CREATE TABLE reconcile_seen (
  run_id TEXT NOT NULL REFERENCES reconcile_runs (id),
  application_no TEXT NOT NULL,
  status TEXT NOT NULL,
  completed TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  attempt_id TEXT NOT NULL,
  attempt_no TEXT NOT NULL,
  attempt_status TEXT NOT NULL,
  simulate BOOLEAN NOT NULL,
  order_number TEXT NOT NULL,
  dispatched_at TIMESTAMPTZ,
  PRIMARY KEY (run_id, application_no)
);
--bun:split
CREATE INDEX reconcile_seen_attempt ON reconcile_seen (run_id, tenant_id, attempt_id);
--bun:split
CREATE TABLE reconcile_found (
  run_id TEXT NOT NULL REFERENCES reconcile_runs (id),
  month TEXT NOT NULL,
  subject TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  explained BOOLEAN NOT NULL,
  tenant_id TEXT NOT NULL,
  order_number TEXT NOT NULL,
  invoice_id TEXT NOT NULL,
  ours TEXT,
  theirs TEXT,
  PRIMARY KEY (run_id, month, subject)
);
--bun:split
CREATE TABLE reconcile_differences (
  month TEXT NOT NULL,
  subject TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  order_number TEXT NOT NULL,
  invoice_id TEXT NOT NULL,
  ours TEXT,
  theirs TEXT,
  first_at TIMESTAMPTZ NOT NULL,
  last_at TIMESTAMPTZ NOT NULL,
  last_run TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  decided_at TIMESTAMPTZ,
  reason TEXT NOT NULL,
  PRIMARY KEY (month, subject)
);
--bun:split
CREATE INDEX reconcile_differences_list ON reconcile_differences (month, state, kind, id);
--bun:split
CREATE TABLE reconcile_events (
  difference_id TEXT NOT NULL REFERENCES reconcile_differences (id),
  at TIMESTAMPTZ NOT NULL,
  event TEXT NOT NULL,
  run_id TEXT NOT NULL,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (difference_id, at, event)
);
--bun:split
CREATE TABLE month_closings (
  month TEXT PRIMARY KEY,
  closed_at TIMESTAMPTZ NOT NULL,
  closed_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  unmet TEXT NOT NULL
);
