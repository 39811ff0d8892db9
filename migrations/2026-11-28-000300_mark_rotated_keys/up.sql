-- Which key replaced a rotated one, so that a key is rotated once: a second rotation would return a key that is like the first one
-- was left, and ends with its overlap. NULL for keys that were rotated before; a release that does not know the column leaves it so.
ALTER TABLE api_keys ADD COLUMN replaced_by uuid;
GRANT UPDATE (replaced_by) ON api_keys TO tenantry_service;
