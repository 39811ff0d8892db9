-- What callers call a thing, and note about it: an external ID, and metadata (text by name). Both are kept as they came, so that they are
-- compared byte for byte. The binary before knows neither, and writes things without them.
--
-- A deleted workspace or tenant keeps its external ID, and others may have it: it is compared again when the thing is restored.
ALTER TABLE brands
    ADD COLUMN external_id text COLLATE "C",
    ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}';
GRANT UPDATE (external_id, metadata) ON brands TO tenantry_service;
ALTER TABLE workspaces
    ADD COLUMN external_id text COLLATE "C",
    ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}';
GRANT UPDATE (external_id, metadata) ON workspaces TO tenantry_service;
ALTER TABLE members
    ADD COLUMN external_id text COLLATE "C",
    ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}';
GRANT UPDATE (external_id, metadata) ON members TO tenantry_service;
ALTER TABLE agents
    ADD COLUMN external_id text COLLATE "C",
    ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}';
GRANT UPDATE (external_id, metadata) ON agents TO tenantry_service;
ALTER TABLE tenants
    ADD COLUMN external_id text COLLATE "C",
    ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}';
GRANT UPDATE (external_id, metadata) ON tenants TO tenantry_service;

CREATE UNIQUE INDEX brands_external_id_key ON brands (tenant_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX workspaces_external_id_key ON workspaces (tenant_id, external_id) WHERE external_id IS NOT NULL AND deleted_at IS NULL;
CREATE UNIQUE INDEX members_external_id_key ON members (tenant_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX agents_external_id_key ON agents (tenant_id, external_id) WHERE external_id IS NOT NULL;
-- Tenants are the platform's, which finds them by its own names.
CREATE UNIQUE INDEX tenants_external_id_key ON tenants (external_id) WHERE external_id IS NOT NULL AND deleted_at IS NULL;

-- Which things have an entry of metadata, as an index would say it. An index on the column itself is of no use under row security:
-- what asks whether a jsonb or an array contains something is not leakproof. `=` on text is. So the entries stand here once more, each
-- with the time by which lists are sorted: a page of the things that have an entry is one range. Whoever writes the metadata of a thing
-- writes these rows with it.
CREATE TABLE brand_metadata (
    tenant_id uuid NOT NULL,
    brand_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT brand_metadata_pkey PRIMARY KEY (tenant_id, brand_id, name),
    CONSTRAINT brand_metadata_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT,
    CONSTRAINT brand_metadata_brand_fkey FOREIGN KEY (tenant_id, brand_id) REFERENCES brands (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX brand_metadata_entry ON brand_metadata (tenant_id, name, value, created_at, brand_id);
ALTER TABLE brand_metadata ALTER tenant_id SET (n_distinct = 1), ALTER created_at SET (n_distinct = 1);
ALTER TABLE brand_metadata ENABLE ROW LEVEL SECURITY;
ALTER TABLE brand_metadata FORCE ROW LEVEL SECURITY;
CREATE POLICY brand_metadata_of_the_tenant ON brand_metadata
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON brand_metadata TO tenantry_service;

CREATE TABLE workspace_metadata (
    tenant_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT workspace_metadata_pkey PRIMARY KEY (tenant_id, workspace_id, name),
    CONSTRAINT workspace_metadata_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT,
    CONSTRAINT workspace_metadata_workspace_fkey FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX workspace_metadata_entry ON workspace_metadata (tenant_id, name, value, created_at, workspace_id);
ALTER TABLE workspace_metadata ALTER tenant_id SET (n_distinct = 1), ALTER created_at SET (n_distinct = 1);
ALTER TABLE workspace_metadata ENABLE ROW LEVEL SECURITY;
ALTER TABLE workspace_metadata FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace_metadata_of_the_tenant ON workspace_metadata
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON workspace_metadata TO tenantry_service;

CREATE TABLE member_metadata (
    tenant_id uuid NOT NULL,
    member_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT member_metadata_pkey PRIMARY KEY (tenant_id, member_id, name),
    CONSTRAINT member_metadata_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT,
    CONSTRAINT member_metadata_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX member_metadata_entry ON member_metadata (tenant_id, name, value, created_at, member_id);
ALTER TABLE member_metadata ALTER tenant_id SET (n_distinct = 1), ALTER created_at SET (n_distinct = 1);
ALTER TABLE member_metadata ENABLE ROW LEVEL SECURITY;
ALTER TABLE member_metadata FORCE ROW LEVEL SECURITY;
CREATE POLICY member_metadata_of_the_tenant ON member_metadata
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON member_metadata TO tenantry_service;

CREATE TABLE agent_metadata (
    tenant_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT agent_metadata_pkey PRIMARY KEY (tenant_id, agent_id, name),
    CONSTRAINT agent_metadata_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT,
    CONSTRAINT agent_metadata_agent_fkey FOREIGN KEY (tenant_id, agent_id) REFERENCES agents (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX agent_metadata_entry ON agent_metadata (tenant_id, name, value, created_at, agent_id);
ALTER TABLE agent_metadata ALTER tenant_id SET (n_distinct = 1), ALTER created_at SET (n_distinct = 1);
ALTER TABLE agent_metadata ENABLE ROW LEVEL SECURITY;
ALTER TABLE agent_metadata FORCE ROW LEVEL SECURITY;
CREATE POLICY agent_metadata_of_the_tenant ON agent_metadata
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON agent_metadata TO tenantry_service;

-- An entry is joined to its thing by the id and by the time. The second says nothing new, and it is there for the order. The planner would
-- multiply the two, expect no row, and read all entries to sort them. So it is told that the time decides nothing.
ALTER TABLE brands ALTER created_at SET (n_distinct = 1);
ALTER TABLE workspaces ALTER created_at SET (n_distinct = 1);
ALTER TABLE members ALTER created_at SET (n_distinct = 1);
ALTER TABLE agents ALTER created_at SET (n_distinct = 1);
