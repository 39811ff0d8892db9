DROP INDEX workspaces_workspace_type;
DROP INDEX workspaces_currency;
DROP INDEX workspaces_operating_language;
DROP INDEX workspaces_country;
