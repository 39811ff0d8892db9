ALTER TABLE integrations DROP COLUMN renewable, DROP COLUMN renewing_until;
