-- What workspaces use: a ledger to which the service can only add. It goes with the workspace.
CREATE TABLE usage_entries (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    kind text NOT NULL,
    seconds integer NOT NULL,
    used_at timestamptz NOT NULL,
    -- The first day of the month that the entry was counted in, which a later change of the time zone leaves as it is.
    month date NOT NULL,
    reference text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT usage_entries_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT usage_entries_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT,
    CONSTRAINT usage_entries_workspace_fkey
        FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id) ON DELETE CASCADE,
    -- However often it is sent, it counts once.
    CONSTRAINT usage_entries_reference_key UNIQUE (tenant_id, workspace_id, reference)
);

ALTER TABLE usage_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY usage_entries_of_the_tenant ON usage_entries
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

GRANT SELECT, INSERT ON usage_entries TO tenantry_service;

-- Its sum by month, kept in the same transaction, so that a limit is held and a month is shown without adding up.
CREATE TABLE usage_months (
    tenant_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    month date NOT NULL,
    seconds bigint NOT NULL,
    CONSTRAINT usage_months_pkey PRIMARY KEY (tenant_id, workspace_id, month),
    CONSTRAINT usage_months_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT,
    CONSTRAINT usage_months_workspace_fkey
        FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE usage_months ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_months FORCE ROW LEVEL SECURITY;
CREATE POLICY usage_months_of_the_tenant ON usage_months
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

GRANT SELECT, INSERT ON usage_months TO tenantry_service;
GRANT UPDATE (seconds) ON usage_months TO tenantry_service;
