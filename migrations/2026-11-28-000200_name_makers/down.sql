ALTER TABLE api_keys DROP COLUMN created_by;
ALTER TABLE invitations DROP COLUMN invited_by;
