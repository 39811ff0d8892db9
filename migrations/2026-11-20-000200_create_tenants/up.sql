-- The accounts. The one table that the platform sees as a whole; a tenant sees its own row.
CREATE TABLE tenants (
    id uuid NOT NULL,
    name text COLLATE "und-x-icu" NOT NULL,
    default_country text NOT NULL,
    default_operating_language text NOT NULL,
    default_currency text NOT NULL,
    default_workspace_type text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenants_pkey PRIMARY KEY (id)
);

-- The platform lists tenants by age.
CREATE INDEX tenants_created_at ON tenants (created_at, id);

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;

-- `nullif`, because after a session's first transaction the setting is '' and no longer NULL.
CREATE POLICY tenants_of_themselves ON tenants
    USING (id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY tenants_of_the_platform ON tenants
    USING (current_setting('app.platform', true) = 'on')
    WITH CHECK (current_setting('app.platform', true) = 'on');

GRANT SELECT, INSERT ON tenants TO tenantry_service;
GRANT UPDATE (name, default_country, default_operating_language, default_currency, default_workspace_type, version, updated_at)
    ON tenants TO tenantry_service;
