-- Whether a tenant has any workspace in a country, a language, a currency or of a type: what a list that is filtered by it asks
-- first, so that a filter which matches nothing does not read all of them. Small, because equal values are stored once.
CREATE INDEX workspaces_country ON workspaces (tenant_id, country) WHERE deleted_at IS NULL;
CREATE INDEX workspaces_operating_language ON workspaces (tenant_id, operating_language) WHERE deleted_at IS NULL;
CREATE INDEX workspaces_currency ON workspaces (tenant_id, currency) WHERE deleted_at IS NULL;
CREATE INDEX workspaces_workspace_type ON workspaces (tenant_id, workspace_type) WHERE deleted_at IS NULL;
