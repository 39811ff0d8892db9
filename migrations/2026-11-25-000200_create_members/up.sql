-- The people in a tenant, each known by what a trusted issuer calls them, and each in one role.
CREATE TABLE members (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    email text NOT NULL,
    -- The address in lower case: what is unique, and what lists are ordered by.
    email_key text NOT NULL,
    role text NOT NULL,
    status text NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT members_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT members_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT,
    CONSTRAINT members_person_key UNIQUE (tenant_id, issuer, subject),
    CONSTRAINT members_email_key UNIQUE (tenant_id, email_key)
);

CREATE INDEX members_created_at ON members (tenant_id, created_at, id);
CREATE INDEX members_updated_at ON members (tenant_id, updated_at, id);
-- A tenant always keeps one of these.
CREATE INDEX members_owners ON members (tenant_id) WHERE role = 'owner';

ALTER TABLE members ENABLE ROW LEVEL SECURITY;
ALTER TABLE members FORCE ROW LEVEL SECURITY;
CREATE POLICY members_of_the_tenant ON members
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

GRANT SELECT, INSERT, DELETE ON members TO tenantry_service;
GRANT UPDATE (role, status, version, updated_at) ON members TO tenantry_service;
