-- How many workspaces that are not deleted, and how many members, there are. Whoever makes or removes one counts it in the same
-- transaction, so that nobody counts rows to answer a question. The binary before this one does not count what it writes;
-- housekeeping compares the numbers with the rows, and puts them right.
ALTER TABLE tenants
    ADD COLUMN workspace_count bigint NOT NULL DEFAULT 0,
    ADD COLUMN member_count bigint NOT NULL DEFAULT 0;
ALTER TABLE brands ADD COLUMN workspace_count bigint NOT NULL DEFAULT 0;

-- Forced row security binds the owner too, who would see nothing to count.
ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY;
ALTER TABLE brands NO FORCE ROW LEVEL SECURITY;
ALTER TABLE workspaces NO FORCE ROW LEVEL SECURITY;
ALTER TABLE members NO FORCE ROW LEVEL SECURITY;

UPDATE tenants SET workspace_count = counted.number
FROM (SELECT tenant_id, count(*) AS number FROM workspaces WHERE deleted_at IS NULL GROUP BY tenant_id) AS counted
WHERE tenants.id = counted.tenant_id;
UPDATE tenants SET member_count = counted.number
FROM (SELECT tenant_id, count(*) AS number FROM members GROUP BY tenant_id) AS counted
WHERE tenants.id = counted.tenant_id;
UPDATE brands SET workspace_count = counted.number
FROM (SELECT tenant_id, brand_id, count(*) AS number FROM workspaces WHERE deleted_at IS NULL GROUP BY tenant_id, brand_id) AS counted
WHERE (brands.tenant_id, brands.id) = (counted.tenant_id, counted.brand_id);

ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE brands FORCE ROW LEVEL SECURITY;
ALTER TABLE workspaces FORCE ROW LEVEL SECURITY;
ALTER TABLE members FORCE ROW LEVEL SECURITY;

GRANT UPDATE (workspace_count, member_count) ON tenants TO tenantry_service;
GRANT UPDATE (workspace_count) ON brands TO tenantry_service;
