DROP FUNCTION look_ups(uuid[], bytea[], text[], text[], uuid[], bigint[], boolean);

-- Answers several look-ups with one call: who asks and which workspace it is, each under row security in its own tenant, as the
-- role that calls. Element i of each array belongs to look-up i. Of key hash and person one is NULL, of id and number too.
-- Look-ups of one tenant, and of one key, that follow each other share what is read for them. A look-up whose tenant is not there
-- has no row. The policy is not here: the caller decides what may be told.
--
-- STABLE, so that all of a call is read as it was at one moment. Whole rows, so that a new column needs no new function. They are
-- assigned and not selected into, which costs less for each column.
CREATE FUNCTION look_ups(
    tenant_ids uuid[], key_hashes bytea[], issuers text[], subjects text[], workspace_ids uuid[], numbers bigint[],
    with_brands boolean
) RETURNS TABLE (
    place integer, tenant tenants, api_key api_keys, member members, is_assigned boolean, workspace workspaces, brand brands
)
    LANGUAGE plpgsql
    STABLE
    SET search_path FROM CURRENT
AS $$
DECLARE
    t uuid;
    h bytea;
    w uuid;
    stands text;
BEGIN
    FOR i IN 1 .. cardinality(tenant_ids) LOOP
        place := i;
        IF tenant_ids[i] IS DISTINCT FROM t THEN
            t := tenant_ids[i];
            h := NULL;
            -- Before the statements that read: inside one of them, the policy may be evaluated first.
            stands := set_config('app.tenant_id', t::text, true);
            tenant := (SELECT r FROM tenants AS r WHERE r.id = t);
        END IF;
        CONTINUE WHEN tenant.id IS NULL;

        IF key_hashes[i] IS NULL THEN
            h := NULL;
            api_key := NULL;
            member := (SELECT r FROM members AS r
                WHERE r.tenant_id = t AND r.issuer = issuers[i] AND r.subject = subjects[i] AND r.status = 'active');
        ELSIF key_hashes[i] IS DISTINCT FROM h THEN
            h := key_hashes[i];
            member := NULL;
            api_key := (SELECT r FROM api_keys AS r
                WHERE r.tenant_id = t AND r.secret_hash = h AND r.revoked_at IS NULL
                    AND (r.expires_at IS NULL OR r.expires_at > now()));
        END IF;

        w := workspace_ids[i];
        IF w IS NOT NULL THEN
            workspace := (SELECT r FROM workspaces AS r WHERE r.tenant_id = t AND r.id = w AND r.deleted_at IS NULL);
        ELSE
            workspace := (SELECT r FROM workspaces AS r
                WHERE r.tenant_id = t AND r.number = numbers[i] AND r.deleted_at IS NULL);
        END IF;

        brand := NULL;
        IF with_brands AND workspace.id IS NOT NULL THEN
            brand := (SELECT r FROM brands AS r WHERE r.tenant_id = t AND r.id = workspace.brand_id);
        END IF;

        is_assigned := false;
        IF member.id IS NOT NULL AND workspace.id IS NOT NULL THEN
            is_assigned := EXISTS (SELECT FROM assignments AS r
                WHERE r.tenant_id = t AND r.workspace_id = workspace.id AND r.member_id = member.id);
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;

GRANT EXECUTE ON FUNCTION look_ups(uuid[], bytea[], text[], text[], uuid[], bigint[], boolean) TO tenantry_service;
