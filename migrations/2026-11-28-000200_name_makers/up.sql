-- Who made an invitation or an API key: the kind of actor and which one, such as `member:0193a4c2-…`. When somebody is removed or loses
-- a role, this says what they leave behind. Rows from before have none.
ALTER TABLE invitations ADD COLUMN invited_by text;
ALTER TABLE api_keys ADD COLUMN created_by text;

CREATE INDEX invitations_invited_by ON invitations (tenant_id, invited_by) WHERE invited_by IS NOT NULL;
CREATE INDEX api_keys_created_by ON api_keys (tenant_id, created_by) WHERE created_by IS NOT NULL;

-- Whoever sends an invitation again answers for it from then on.
GRANT UPDATE (invited_by) ON invitations TO tenantry_service;
