CREATE TABLE platform_staff (
  user_id TEXT PRIMARY KEY REFERENCES users (id),
  role TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL
);
