-- Numbers that people see: 1, 2, 3 … in each tenant, so that they say nothing about another one. They come from a counter of the
-- tenant and not from a sequence, which would tell one tenant how much the others write; and they are never given twice.
ALTER TABLE tenants
    ADD COLUMN last_workspace_number bigint NOT NULL DEFAULT 0,
    ADD COLUMN last_place_number bigint NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN number bigint;
ALTER TABLE assignments ADD COLUMN number bigint;
ALTER TABLE invitation_workspaces ADD COLUMN number bigint;

-- Forced row security binds the owner too, who would see nothing to number.
ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY;
ALTER TABLE workspaces NO FORCE ROW LEVEL SECURITY;
ALTER TABLE assignments NO FORCE ROW LEVEL SECURITY;
ALTER TABLE invitation_workspaces NO FORCE ROW LEVEL SECURITY;

UPDATE workspaces AS row SET number = numbered.number
FROM (SELECT tenant_id, id, row_number() OVER (PARTITION BY tenant_id ORDER BY created_at, id) AS number
      FROM workspaces) AS numbered
WHERE (row.tenant_id, row.id) = (numbered.tenant_id, numbered.id);

-- A place is an assignment, or one that is held for somebody invited; they share one row of numbers.
WITH places AS (
    SELECT tenant_id, workspace_id, member_id AS holder FROM assignments
    UNION ALL SELECT tenant_id, workspace_id, invitation_id FROM invitation_workspaces
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY tenant_id ORDER BY workspace_id, holder) AS number FROM places
), assigned AS (
    UPDATE assignments AS row SET number = numbered.number FROM numbered
    WHERE (row.tenant_id, row.workspace_id, row.member_id) = (numbered.tenant_id, numbered.workspace_id, numbered.holder)
)
UPDATE invitation_workspaces AS row SET number = numbered.number FROM numbered
WHERE (row.tenant_id, row.workspace_id, row.invitation_id) = (numbered.tenant_id, numbered.workspace_id, numbered.holder);

UPDATE tenants SET
    last_workspace_number = coalesce((SELECT max(number) FROM workspaces WHERE tenant_id = tenants.id), 0),
    last_place_number = greatest(
        coalesce((SELECT max(number) FROM assignments WHERE tenant_id = tenants.id), 0),
        coalesce((SELECT max(number) FROM invitation_workspaces WHERE tenant_id = tenants.id), 0));

ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE workspaces FORCE ROW LEVEL SECURITY;
ALTER TABLE assignments FORCE ROW LEVEL SECURITY;
ALTER TABLE invitation_workspaces FORCE ROW LEVEL SECURITY;

ALTER TABLE workspaces ALTER COLUMN number SET NOT NULL,
    ADD CONSTRAINT workspaces_number_key UNIQUE (tenant_id, number);
ALTER TABLE assignments ALTER COLUMN number SET NOT NULL,
    ADD CONSTRAINT assignments_number_key UNIQUE (tenant_id, number);
ALTER TABLE invitation_workspaces ALTER COLUMN number SET NOT NULL,
    ADD CONSTRAINT invitation_workspaces_number_key UNIQUE (tenant_id, number);

GRANT UPDATE (last_workspace_number, last_place_number) ON tenants TO tenantry_service;
