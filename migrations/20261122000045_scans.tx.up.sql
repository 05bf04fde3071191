CREATE INDEX pictures_scans ON pictures (created_at) WHERE kind IN ('card_front', 'card_back', 'card_both') AND original_key <> '';
