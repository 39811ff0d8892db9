-- An access token that ends can be renewed with the refresh token that is sealed together with it. Such a refresh token is good for
-- one use: whoever is about to use it says until when, so that nobody else does.
ALTER TABLE integrations
    ADD COLUMN renewable boolean NOT NULL DEFAULT false,
    ADD COLUMN renewing_until timestamptz;

GRANT UPDATE (renewable, renewing_until) ON integrations TO tenantry_service;
