-- A secret that does not decrypt can be given up, so that the service starts without a key that is lost. What was given up is kept
-- beside for 30 days, still sealed, in case the key is found. In the same row, because every place has one that stays.
ALTER TABLE integrations
    ADD COLUMN discarded_secret bytea,
    -- The version and fingerprint of its master key, as in tenants.sealed_under.
    ADD COLUMN discarded_key text,
    ADD COLUMN discarded_last_four text,
    ADD COLUMN discarded_set_at timestamptz,
    ADD COLUMN discarded_at timestamptz;

CREATE INDEX integrations_discarded ON integrations (tenant_id, discarded_at) WHERE discarded_at IS NOT NULL;

GRANT UPDATE (discarded_secret, discarded_key, discarded_last_four, discarded_set_at, discarded_at) ON integrations
    TO tenantry_service;
