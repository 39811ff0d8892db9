-- The AI agents of a workspace. They go with it.
CREATE TABLE agents (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    name text COLLATE "und-x-icu" NOT NULL,
    external_reference text,
    voice text,
    status text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT agents_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT agents_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT,
    CONSTRAINT agents_workspace_fkey
        FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT agents_reference_key UNIQUE (tenant_id, workspace_id, external_reference)
);

CREATE INDEX agents_created_at ON agents (tenant_id, workspace_id, created_at, id);
CREATE INDEX agents_updated_at ON agents (tenant_id, workspace_id, updated_at, id);
CREATE INDEX agents_name ON agents (tenant_id, workspace_id, name, id);

ALTER TABLE agents ENABLE ROW LEVEL SECURITY;
ALTER TABLE agents FORCE ROW LEVEL SECURITY;
CREATE POLICY agents_of_the_tenant ON agents
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

GRANT SELECT, INSERT, DELETE ON agents TO tenantry_service;
GRANT UPDATE (name, external_reference, voice, status, version, updated_at) ON agents TO tenantry_service;
