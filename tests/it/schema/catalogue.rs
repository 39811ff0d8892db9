//! The checker: reads the catalogue and says what is missing, each in a line that begins with the name of the thing.

use diesel::PgConnection;
use tenantry_tests::{TestDatabase, lines};

/// What is wrong in this database.
pub(crate) fn complaints(database: &TestDatabase) -> Vec<String> {
    complaints_on(&mut database.admin())
}

/// What is wrong as this connection of the superuser sees it.
pub(crate) fn complaints_on(admin: &mut PgConnection) -> Vec<String> {
    let checks = [TENANT_ID, KEYS, INDEXES, REFERENCES, ROW_SECURITY, POLICIES, GRANTS, OTHER_THINGS, ROLE];
    let mut complaints = Vec::new();
    for check in checks {
        complaints
            .extend(lines(admin, &format!("WITH {OURS} SELECT DISTINCT line FROM ({check}) AS found ORDER BY 1")));
    }
    complaints
}

/// What is not PostgreSQL's own, nor an extension's: `ours` of all kinds, and of these the `tables` of tenants, with the
/// number of their `tenant_id`; partitions too, each as a table of its own. In `tenants` that is the id itself; the list of migrations is nobody's.
const OURS: &str = "
    schemas AS (SELECT oid, nspname FROM pg_namespace
                WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
    ours AS (SELECT class.*, class.relname AS name FROM pg_class AS class JOIN schemas ON schemas.oid = relnamespace
             WHERE relname !~ '^__diesel_schema_migrations'),
    tables AS (SELECT ours.oid, ours.name, relrowsecurity, relforcerowsecurity, attnum AS tenant, attnotnull AS filled,
                      atttypid = 'uuid'::regtype AS uuid
               FROM ours LEFT JOIN pg_attribute ON attrelid = ours.oid AND NOT attisdropped
                    AND attname = CASE ours.name WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END
               WHERE relkind IN ('r', 'p'))";

const TENANT_ID: &str = "
    SELECT name || ': has no tenant_id' AS line FROM tables WHERE tenant IS NULL
    UNION ALL SELECT name || ': tenant_id may be null' FROM tables WHERE NOT filled
    UNION ALL SELECT name || ': tenant_id is not a uuid' FROM tables WHERE NOT uuid
    UNION ALL SELECT name || ': plans are made for small tenants' FROM tables JOIN pg_attribute ON attrelid = tables.oid AND attnum = tenant
    WHERE name <> 'tenants' AND NOT coalesce(attoptions @> '{n_distinct=1}', false)";

const KEYS: &str = "
    SELECT name || ': no primary key' AS line FROM tables
    WHERE NOT EXISTS (SELECT FROM pg_index WHERE indrelid = tables.oid AND indisprimary)";

/// What lists begin with is found in one range; what is unique is so within a tenant. The platform lists tenants by age,
/// looks for those whose outbox or webhooks are due, for the one that a request founded, and for the one that has an external ID.
const INDEXES: &str = "
    SELECT class.relname || ': does not begin with tenant_id' AS line
    FROM pg_index JOIN tables ON tables.oid = indrelid JOIN pg_class AS class ON class.oid = indexrelid
    WHERE indkey[0] IS DISTINCT FROM tenant AND class.relname NOT IN (
        'tenants_created_at', 'tenants_mail_due_at', 'tenants_webhooks_due_at', 'tenants_founding_key_hash',
        'tenants_external_id_key')
    UNION ALL SELECT class.relname || ': is not valid' FROM pg_index JOIN pg_class AS class ON class.oid = indexrelid
    JOIN tables ON tables.oid = indrelid WHERE NOT indisvalid";

/// The check of a foreign key does not see row security: a reference by id alone takes another tenant's row.
const REFERENCES: &str = "
    SELECT conname || ': does not begin with tenant_id on both sides' AS line
    FROM pg_constraint JOIN tables AS here ON here.oid = conrelid LEFT JOIN tables AS there ON there.oid = confrelid
    WHERE contype = 'f' AND (conkey[1] IS DISTINCT FROM here.tenant OR confkey[1] IS DISTINCT FROM there.tenant)
    UNION ALL SELECT name || ': tenant_id does not refer to tenants' FROM tables
    WHERE name <> 'tenants' AND NOT EXISTS (
        SELECT FROM pg_constraint WHERE contype = 'f' AND conrelid = tables.oid AND confrelid = 'tenants'::regclass
               AND conkey = ARRAY[tenant])";

const ROW_SECURITY: &str = "
    SELECT name || ': row security is not enabled' AS line FROM tables WHERE NOT relrowsecurity
    UNION ALL SELECT name || ': row security does not bind the owner' FROM tables WHERE NOT relforcerowsecurity";

/// Exactly one policy for each table, for every command and role, with the same words on what is seen and what is written;
/// two for the tenants themselves. Word by word: a condition that is nearly the same is another one.
const POLICIES: &str = "
    SELECT name || ': the policies are not ' || CASE name WHEN 'tenants' THEN '[the platform, its own row]' ELSE '[the tenant''s rows]' END
           || ' but ' || coalesce(array_agg(concat_ws(' ', polname, polcmd, polroles, pg_get_expr(polqual, polrelid), '/',
                                                      pg_get_expr(polwithcheck, polrelid)))::text, '') AS line
    FROM tables LEFT JOIN pg_policy ON polrelid = tables.oid GROUP BY name
    HAVING array_agg(CASE WHEN polpermissive AND polcmd = '*' AND polroles = '{0}'
                           AND pg_get_expr(polqual, polrelid) = pg_get_expr(polwithcheck, polrelid)
                          THEN pg_get_expr(polqual, polrelid) ELSE '-' END ORDER BY polname)
           IS DISTINCT FROM CASE name
               WHEN 'tenants' THEN ARRAY['(current_setting(''app.platform''::text, true) = ''on''::text)',
                                         '(id = (NULLIF(current_setting(''app.tenant_id''::text, true), ''''::text))::uuid)']
               ELSE ARRAY['(tenant_id = (NULLIF(current_setting(''app.tenant_id''::text, true), ''''::text))::uuid)'] END";

/// The service reaches a partition through its table.
const GRANTS: &str = "
    SELECT tables.name || ': the service may ' || power || ' a partition' AS line
    FROM tables JOIN pg_class ON pg_class.oid = tables.oid AND relispartition, unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS power
    WHERE has_table_privilege('tenantry_service', tables.oid, power)
       OR power <> 'DELETE' AND has_any_column_privilege('tenantry_service', tables.oid, power)
    UNION ALL
    SELECT name || ': the service may ' || power AS line FROM tables, unnest('{TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS power
    WHERE has_table_privilege('tenantry_service', tables.oid, power)
       OR power = 'REFERENCES' AND has_any_column_privilege('tenantry_service', tables.oid, power)
    UNION ALL SELECT 'tenants: the service may DELETE' WHERE has_table_privilege('tenantry_service', 'tenants', 'DELETE')
    UNION ALL SELECT name || ': the service may change the past' FROM tables
    WHERE name IN ('audit_events', 'usage_entries')
      AND (has_any_column_privilege('tenantry_service', tables.oid, 'UPDATE')
           OR has_table_privilege('tenantry_service', tables.oid, 'DELETE'))
    UNION ALL SELECT name || ': the service may change ' || attname FROM tables JOIN pg_attribute ON attrelid = tables.oid
    WHERE attname IN ('tenant_id', 'id', 'created_at') AND has_column_privilege('tenantry_service', tables.oid, attname, 'UPDATE')
    UNION ALL SELECT 'the migrations: the service may write them' FROM pg_class
    WHERE relname = '__diesel_schema_migrations'
      AND has_table_privilege('tenantry_service', oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
    UNION ALL SELECT nspname || ': the service may create in this schema' FROM schemas
    WHERE has_schema_privilege('tenantry_service', oid, 'CREATE')
    UNION ALL SELECT 'the database: the service may create schemas'
    WHERE has_database_privilege('tenantry_service', current_database(), 'CREATE')";

const OTHER_THINGS: &str = "
    SELECT name || ': a view with the eyes of its owner' AS line FROM ours
    WHERE relkind = 'v' AND NOT coalesce(reloptions @> '{security_invoker=true}', false)
    UNION ALL SELECT name || ': a sequence, which tells one tenant how much another writes' FROM ours WHERE relkind = 'S'
    UNION ALL SELECT name || ': neither a table nor a view' FROM ours WHERE relkind IN ('m', 'f')
    UNION ALL SELECT proname || ': a function with the rights of its owner' FROM pg_proc JOIN schemas ON schemas.oid = pronamespace
    WHERE prosecdef
    UNION ALL SELECT name || ': the trigger ' || tgname FROM pg_trigger JOIN ours ON ours.oid = tgrelid WHERE NOT tgisinternal
    UNION ALL SELECT name || ': the rule ' || rulename FROM pg_rewrite JOIN ours ON ours.oid = ev_class WHERE relkind IN ('r', 'p')";

const ROLE: &str = "
    SELECT 'tenantry_service: ' || what AS line FROM pg_roles, LATERAL (VALUES
        (rolsuper, 'superuser'), (rolbypassrls, 'bypasses row security'), (rolcreaterole, 'may create roles'),
        (rolcreatedb, 'may create databases'), (rolreplication, 'may replicate')) AS powers (has, what)
    WHERE rolname = 'tenantry_service' AND has
    UNION ALL SELECT 'tenantry_service: is a member of ' || roleid::regrole FROM pg_auth_members
    WHERE member = 'tenantry_service'::regrole
    UNION ALL SELECT 'tenantry_service: does not exist' WHERE to_regrole('tenantry_service') IS NULL
    UNION ALL SELECT 'tenantry_service: owns ' || coalesce(relname, proname, nspname, classid::regclass || ' ' || objid)
    FROM pg_shdepend LEFT JOIN pg_class ON classid = 'pg_class'::regclass AND objid = pg_class.oid
         LEFT JOIN pg_proc ON classid = 'pg_proc'::regclass AND objid = pg_proc.oid
         LEFT JOIN pg_namespace ON classid = 'pg_namespace'::regclass AND objid = pg_namespace.oid
    WHERE refobjid = 'tenantry_service'::regrole AND deptype = 'o'";
