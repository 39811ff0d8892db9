-- How many requests the platform lets a tenant send, in a second and at once; NULL is as many as it likes.
ALTER TABLE tenants
    ADD COLUMN requests_per_second integer,
    ADD COLUMN request_burst integer;

GRANT UPDATE (requests_per_second, request_burst) ON tenants TO tenantry_service;
