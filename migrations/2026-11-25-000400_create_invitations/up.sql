-- Pending members. One that was accepted or revoked stays, so that a second click can be told what happened.
CREATE TABLE invitations (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    email text NOT NULL,
    email_key text NOT NULL,
    role text NOT NULL,
    expires_at timestamptz NOT NULL,
    accepted_at timestamptz,
    revoked_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT invitations_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT invitations_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT
);

-- One open invitation for an address, however many ask for it at once.
CREATE UNIQUE INDEX invitations_open_key ON invitations (tenant_id, email_key)
    WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_created_at ON invitations (tenant_id, created_at, id);
CREATE INDEX invitations_updated_at ON invitations (tenant_id, updated_at, id);
CREATE INDEX invitations_email ON invitations (tenant_id, email_key, id);

ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
CREATE POLICY invitations_of_the_tenant ON invitations
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

GRANT SELECT, INSERT, DELETE ON invitations TO tenantry_service;
GRANT UPDATE (expires_at, accepted_at, revoked_at, version, updated_at) ON invitations TO tenantry_service;

-- The workspaces that an invitation assigns.
CREATE TABLE invitation_workspaces (
    tenant_id uuid NOT NULL,
    invitation_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    CONSTRAINT invitation_workspaces_pkey PRIMARY KEY (tenant_id, invitation_id, workspace_id),
    CONSTRAINT invitation_workspaces_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT,
    CONSTRAINT invitation_workspaces_invitation_fkey
        FOREIGN KEY (tenant_id, invitation_id) REFERENCES invitations (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT invitation_workspaces_workspace_fkey
        FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id) ON DELETE CASCADE
);

CREATE INDEX invitation_workspaces_workspace ON invitation_workspaces (tenant_id, workspace_id);

ALTER TABLE invitation_workspaces ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitation_workspaces FORCE ROW LEVEL SECURITY;
CREATE POLICY invitation_workspaces_of_the_tenant ON invitation_workspaces
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

GRANT SELECT, INSERT, DELETE ON invitation_workspaces TO tenantry_service;

-- The hashes of the tokens that were sent. A token is made when its message is sent and stored nowhere; a message that is
-- tried several times may arrive with any of its tokens, and each of them is good until the invitation is sent anew.
CREATE TABLE invitation_tokens (
    tenant_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    invitation_id uuid NOT NULL,
    replaced_at timestamptz,
    CONSTRAINT invitation_tokens_pkey PRIMARY KEY (tenant_id, token_hash),
    CONSTRAINT invitation_tokens_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT,
    CONSTRAINT invitation_tokens_invitation_fkey
        FOREIGN KEY (tenant_id, invitation_id) REFERENCES invitations (tenant_id, id) ON DELETE CASCADE
);

CREATE INDEX invitation_tokens_invitation ON invitation_tokens (tenant_id, invitation_id);

ALTER TABLE invitation_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitation_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY invitation_tokens_of_the_tenant ON invitation_tokens
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

GRANT SELECT, INSERT, DELETE ON invitation_tokens TO tenantry_service;
GRANT UPDATE (replaced_at) ON invitation_tokens TO tenantry_service;
