-- Caps on what is in a workspace: those of the tenant hold in each of its workspaces, and a workspace may have smaller ones of
-- its own. And the time zone in which a workspace counts its months.
ALTER TABLE tenants
    ADD COLUMN max_agents integer,
    ADD COLUMN max_minutes integer;

GRANT UPDATE (max_agents, max_minutes) ON tenants TO tenantry_service;

-- The limits have a version of their own: a change of them is not seen at the workspace itself.
ALTER TABLE workspaces
    ADD COLUMN max_members integer,
    ADD COLUMN max_agents integer,
    ADD COLUMN max_minutes integer,
    ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC',
    ADD COLUMN limits_version bigint NOT NULL DEFAULT 1;

GRANT UPDATE (max_members, max_agents, max_minutes, time_zone, limits_version) ON workspaces TO tenantry_service;
