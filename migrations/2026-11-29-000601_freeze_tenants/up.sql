-- A frozen tenant can be read and not written: it is moving to another database, and what is written here now would not come along.
-- The binary before does not know the column, and writes to the tenant: do not freeze while it still runs.
ALTER TABLE tenants ADD COLUMN frozen_at timestamptz;

GRANT UPDATE (frozen_at) ON tenants TO tenantry_service;
