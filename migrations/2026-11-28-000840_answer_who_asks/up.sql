DROP FUNCTION look_ups(uuid[], bytea[], text[], text[], uuid[], bigint[], boolean);

-- Answers several look-ups with one call: who asks and which workspace it is, each under row security in its own tenant, as the
-- role that calls. Element i of each array belongs to look-up i. Of key hash and person one is NULL, of id and number too; where
-- both of these are NULL, it is only asked who asks, and `reached` says how many workspaces the key is restricted to or the member
-- is assigned to. Look-ups of one tenant, key or person that follow each other share what is read for them. A look-up whose tenant
-- is not there has no row. The policy is not here: the caller decides what may be told.
--
-- It takes the place of a function of the same name without `reached`. A version of the service that calls that one answers
-- look-ups one by one until it has gone.
--
-- STABLE, so that all of a call is read as it was at one moment. Whole rows, so that a new column needs no new function. They are
-- assigned and not selected into, which costs less for each column.
CREATE FUNCTION look_ups(
    tenant_ids uuid[], key_hashes bytea[], issuers text[], subjects text[], workspace_ids uuid[], numbers bigint[],
    with_brands boolean
) RETURNS TABLE (
    place integer, tenant tenants, api_key api_keys, member members, is_assigned boolean, workspace workspaces, brand brands,
    reached bigint
)
    LANGUAGE plpgsql
    STABLE
    SET search_path FROM CURRENT
AS $$
DECLARE
    t uuid;
    h bytea;
    iss text;
    sub text;
    w uuid;
    stands text;
BEGIN
    FOR i IN 1 .. cardinality(tenant_ids) LOOP
        place := i;
        IF tenant_ids[i] IS DISTINCT FROM t THEN
            t := tenant_ids[i];
            h := NULL;
            iss := NULL;
            sub := NULL;
            member := NULL;
            -- Before the statements that read: inside one of them, the policy may be evaluated first.
            stands := set_config('app.tenant_id', t::text, true);
            tenant := (SELECT r FROM tenants AS r WHERE r.id = t);
        END IF;
        CONTINUE WHEN tenant.id IS NULL;

        IF key_hashes[i] IS NULL THEN
            h := NULL;
            api_key := NULL;
            IF issuers[i] IS DISTINCT FROM iss OR subjects[i] IS DISTINCT FROM sub THEN
                iss := issuers[i];
                sub := subjects[i];
                member := (SELECT r FROM members AS r
                    WHERE r.tenant_id = t AND r.issuer = iss AND r.subject = sub AND r.status = 'active');
            END IF;
        ELSIF key_hashes[i] IS DISTINCT FROM h THEN
            h := key_hashes[i];
            iss := NULL;
            sub := NULL;
            member := NULL;
            api_key := (SELECT r FROM api_keys AS r
                WHERE r.tenant_id = t AND r.secret_hash = h AND r.revoked_at IS NULL
                    AND (r.expires_at IS NULL OR r.expires_at > now()));
        END IF;

        brand := NULL;
        is_assigned := false;
        reached := NULL;
        w := workspace_ids[i];
        IF w IS NULL AND numbers[i] IS NULL THEN
            workspace := NULL;
            IF api_key.workspace_id IS NOT NULL THEN
                reached := (SELECT count(*) FROM workspaces AS r
                    WHERE r.tenant_id = t AND r.id = api_key.workspace_id AND r.deleted_at IS NULL);
            ELSIF api_key.brand_id IS NOT NULL THEN
                reached := (SELECT r.workspace_count FROM brands AS r WHERE r.tenant_id = t AND r.id = api_key.brand_id);
            ELSIF member.id IS NOT NULL THEN
                reached := (SELECT count(*) FROM assignments AS a
                    JOIN workspaces AS r ON r.tenant_id = t AND r.id = a.workspace_id AND r.deleted_at IS NULL
                    WHERE a.tenant_id = t AND a.member_id = member.id);
            END IF;
            RETURN NEXT;
            CONTINUE;
        ELSIF w IS NOT NULL THEN
            workspace := (SELECT r FROM workspaces AS r WHERE r.tenant_id = t AND r.id = w AND r.deleted_at IS NULL);
        ELSE
            workspace := (SELECT r FROM workspaces AS r
                WHERE r.tenant_id = t AND r.number = numbers[i] AND r.deleted_at IS NULL);
        END IF;

        IF with_brands AND workspace.id IS NOT NULL THEN
            brand := (SELECT r FROM brands AS r WHERE r.tenant_id = t AND r.id = workspace.brand_id);
        END IF;

        IF member.id IS NOT NULL AND workspace.id IS NOT NULL THEN
            is_assigned := EXISTS (SELECT FROM assignments AS r
                WHERE r.tenant_id = t AND r.workspace_id = workspace.id AND r.member_id = member.id);
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;

GRANT EXECUTE ON FUNCTION look_ups(uuid[], bytea[], text[], text[], uuid[], bigint[], boolean) TO tenantry_service;
