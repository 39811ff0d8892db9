ALTER TABLE tenants DROP COLUMN founding_key_hash;
DROP TABLE idempotency_keys;
