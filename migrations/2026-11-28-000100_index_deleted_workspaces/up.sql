-- Deleted workspaces can be listed until they are erased. One index for each order of the list, as for those that are not deleted.
CREATE INDEX workspaces_deleted_by_created_at ON workspaces (tenant_id, created_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX workspaces_deleted_by_updated_at ON workspaces (tenant_id, updated_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX workspaces_deleted_by_name ON workspaces (tenant_id, name, id) WHERE deleted_at IS NOT NULL;
