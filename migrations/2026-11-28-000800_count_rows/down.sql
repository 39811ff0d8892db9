ALTER TABLE brands DROP COLUMN workspace_count;
ALTER TABLE tenants
    DROP COLUMN workspace_count,
    DROP COLUMN member_count;
