ALTER TABLE pictures ADD COLUMN taken_at TIMESTAMPTZ;
--bun:split
ALTER TABLE pictures ADD COLUMN marker TEXT NOT NULL DEFAULT '';
--bun:split
CREATE INDEX pictures_markers ON pictures (tenant_id, batch_id) WHERE kind = 'card_marker';
