ALTER TABLE workspaces
    DROP COLUMN max_members,
    DROP COLUMN max_agents,
    DROP COLUMN max_minutes,
    DROP COLUMN time_zone,
    DROP COLUMN limits_version;

ALTER TABLE tenants
    DROP COLUMN max_agents,
    DROP COLUMN max_minutes;
