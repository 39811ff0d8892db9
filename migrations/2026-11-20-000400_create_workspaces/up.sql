-- The operational units under a brand. A deleted workspace stays, unseen, until it is restored or erased.
CREATE TABLE workspaces (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    brand_id uuid NOT NULL,
    name text COLLATE "und-x-icu" NOT NULL,
    country text NOT NULL,
    operating_language text NOT NULL,
    currency text NOT NULL,
    workspace_type text NOT NULL,
    workspace_instructions text,
    email_signature_html text,
    email_signature_text text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT workspaces_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT workspaces_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT,
    -- Composite: a plain reference would accept another tenant's brand, because such checks do not see row security.
    CONSTRAINT workspaces_brand_fkey FOREIGN KEY (tenant_id, brand_id) REFERENCES brands (tenant_id, id) ON DELETE RESTRICT
);

-- One for each order of the list, so that a page costs the same in a tenant of any size.
CREATE INDEX workspaces_created_at ON workspaces (tenant_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX workspaces_updated_at ON workspaces (tenant_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX workspaces_name ON workspaces (tenant_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX workspaces_brand ON workspaces (tenant_id, brand_id, created_at, id);
CREATE INDEX workspaces_deleted_at ON workspaces (tenant_id, deleted_at) WHERE deleted_at IS NOT NULL;

ALTER TABLE workspaces ENABLE ROW LEVEL SECURITY;
ALTER TABLE workspaces FORCE ROW LEVEL SECURITY;
CREATE POLICY workspaces_of_the_tenant ON workspaces
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

GRANT SELECT, INSERT, DELETE ON workspaces TO tenantry_service;
GRANT UPDATE (brand_id, name, country, operating_language, currency, workspace_type, workspace_instructions,
              email_signature_html, email_signature_text, version, updated_at, deleted_at)
    ON workspaces TO tenantry_service;
