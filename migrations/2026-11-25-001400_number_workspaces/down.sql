ALTER TABLE invitation_workspaces DROP COLUMN number;
ALTER TABLE assignments DROP COLUMN number;
ALTER TABLE workspaces DROP COLUMN number;
ALTER TABLE tenants DROP COLUMN last_workspace_number, DROP COLUMN last_place_number;
