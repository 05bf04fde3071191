CREATE INDEX provider_calls_refused ON provider_calls (account, op, id) WHERE outcome = 'refused';
