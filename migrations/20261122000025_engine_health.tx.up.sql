CREATE INDEX attempts_finished ON attempts (finished_at) WHERE status = 'completed' AND NOT simulate;
