-- The service's role, and the two functions by which a transaction says where it stands.
--
-- The role belongs to the cluster and not to this database, so it is made when it is missing and never dropped. It owns
-- nothing and cannot bypass row security; operators give it a password, or grant it to the role they log in as:
--   ALTER ROLE tenantry_service LOGIN PASSWORD '…';
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_service') THEN
        CREATE ROLE tenantry_service NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOLOGIN;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role tenantry_service does not exist and % may not create it', current_user
            USING HINT = 'Run once as an administrator: CREATE ROLE tenantry_service NOSUPERUSER NOBYPASSRLS';
    -- Another database of the same cluster is migrated at the same moment.
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

-- Readiness compares what has run with what the binary knows.
GRANT SELECT ON __diesel_schema_migrations TO tenantry_service;

-- A function that executes a lone SET LOCAL, because that form alone reaches the workers of a distributed PostgreSQL, and
-- `BEGIN; SELECT set_tenant('…')` is one round trip. The cast refuses what is not a UUID before it is quoted.
CREATE FUNCTION set_tenant(tenant text) RETURNS void
    LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format('SET LOCAL app.tenant_id = %L', tenant::uuid);
END
$$;

-- Above all tenants: shows the list of tenants and nothing inside any of them.
CREATE FUNCTION set_platform() RETURNS void
    LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE 'SET LOCAL app.platform = ''on''';
END
$$;

GRANT EXECUTE ON FUNCTION set_tenant(text), set_platform() TO tenantry_service;
