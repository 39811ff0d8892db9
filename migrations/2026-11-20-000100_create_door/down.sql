-- The role stays: it belongs to the cluster, and other databases may use it.
DROP FUNCTION set_platform();
DROP FUNCTION set_tenant(text);
REVOKE SELECT ON __diesel_schema_migrations FROM tenantry_service;
