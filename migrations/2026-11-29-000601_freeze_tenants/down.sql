ALTER TABLE tenants DROP COLUMN frozen_at;
