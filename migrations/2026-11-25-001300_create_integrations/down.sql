ALTER TABLE tenants DROP COLUMN sealed_under;
DROP TABLE integrations;
