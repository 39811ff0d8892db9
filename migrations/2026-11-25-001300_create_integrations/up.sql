-- A workspace's connections to providers. Their secrets are sealed under a master key that is not in the database, each for its
-- tenant, workspace, provider and field, so that one which is copied elsewhere does not open. A connection that is removed leaves
-- its row, with nothing in it, so that no version of it comes twice.
CREATE TABLE integrations (
    tenant_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    provider text NOT NULL,
    -- The one field of the provider that is no secret.
    plain text,
    sealed_secret bytea,
    -- Of the master key; also in the sealed secret itself, where it counts.
    key_version integer,
    last_four text,
    secret_set_at timestamptz,
    verification_status text NOT NULL DEFAULT 'unverified',
    verified_at timestamptz,
    last_error text,
    version bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT integrations_pkey PRIMARY KEY (tenant_id, workspace_id, provider),
    CONSTRAINT integrations_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT,
    CONSTRAINT integrations_workspace_fkey
        FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT integrations_secret_whole
        CHECK ((sealed_secret IS NULL) = (key_version IS NULL) AND (sealed_secret IS NULL) = (secret_set_at IS NULL)
               AND (sealed_secret IS NOT NULL OR last_four IS NULL))
);

-- What is not sealed under the newest key is found without reading the rest.
CREATE INDEX integrations_key_version ON integrations (tenant_id, key_version) WHERE key_version IS NOT NULL;

ALTER TABLE integrations ENABLE ROW LEVEL SECURITY;
ALTER TABLE integrations FORCE ROW LEVEL SECURITY;
CREATE POLICY integrations_of_the_tenant ON integrations
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

-- No DELETE: they go with their workspace.
GRANT SELECT, INSERT ON integrations TO tenantry_service;
GRANT UPDATE (plain, sealed_secret, key_version, last_four, secret_set_at, verification_status, verified_at, last_error, version,
              updated_at) ON integrations TO tenantry_service;

-- The versions and fingerprints of the master keys that secrets of the tenant are sealed under. On the tenant, because nobody
-- above the tenants sees into its rows, and the service must know at its start whether it has the keys.
ALTER TABLE tenants ADD COLUMN sealed_under text[] NOT NULL DEFAULT '{}';
GRANT UPDATE (sealed_under) ON tenants TO tenantry_service;
