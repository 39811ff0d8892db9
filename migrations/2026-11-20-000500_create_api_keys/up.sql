-- Machine credentials of a tenant: the hash of the secret, what it may do, and where. A key that is restricted to a brand
-- or workspace goes when that is erased: there is nothing left that it could open.
CREATE TABLE api_keys (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    name text COLLATE "und-x-icu" NOT NULL,
    mode text NOT NULL,
    scopes text[] NOT NULL,
    brand_id uuid,
    workspace_id uuid,
    last_four text NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT api_keys_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT api_keys_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT,
    CONSTRAINT api_keys_brand_fkey FOREIGN KEY (tenant_id, brand_id) REFERENCES brands (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT api_keys_workspace_fkey
        FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT api_keys_secret_hash_key UNIQUE (tenant_id, secret_hash),
    CONSTRAINT api_keys_one_restriction CHECK (brand_id IS NULL OR workspace_id IS NULL)
);

CREATE INDEX api_keys_created_at ON api_keys (tenant_id, created_at, id);
CREATE INDEX api_keys_updated_at ON api_keys (tenant_id, updated_at, id);
CREATE INDEX api_keys_name ON api_keys (tenant_id, name, id);
CREATE INDEX api_keys_brand ON api_keys (tenant_id, brand_id) WHERE brand_id IS NOT NULL;
CREATE INDEX api_keys_workspace ON api_keys (tenant_id, workspace_id) WHERE workspace_id IS NOT NULL;

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY api_keys_of_the_tenant ON api_keys
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

GRANT SELECT, INSERT ON api_keys TO tenantry_service;
GRANT UPDATE (expires_at, revoked_at, last_used_at, version, updated_at) ON api_keys TO tenantry_service;
