-- Who has a slot in a workspace: members who are assigned to it, and invitations that hold one until they are accepted. One place
-- that says so, for the service and for the function below. With the rights of whoever asks, under their row security.
CREATE VIEW slots WITH (security_invoker = true) AS
    SELECT r.tenant_id, r.workspace_id, r.number, m.id AS holder_id, m.email, m.role, true AS is_member
    FROM assignments AS r JOIN members AS m ON m.tenant_id = r.tenant_id AND m.id = r.member_id
    UNION ALL
    SELECT r.tenant_id, r.workspace_id, r.number, i.id, i.email, i.role, false
    FROM invitation_workspaces AS r JOIN invitations AS i ON i.tenant_id = r.tenant_id AND i.id = r.invitation_id
    WHERE i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now();

GRANT SELECT ON slots TO tenantry_service;

-- What is in a workspace, for those who ask `look_ups` for more than the workspace itself: read under row security in this tenant, as
-- the role that calls. Of agents and of slots no more than `most` are read. The caller decides what may be told, and in which of the
-- months the workspace is: by the clock, it is one of them in every time zone.
--
-- STABLE and whole rows for the reasons of `look_ups`. STRICT: without a tenant or a workspace, nothing is read.
CREATE FUNCTION workspace_contents(
    t uuid, w uuid, most integer,
    OUT clock timestamptz, OUT agents bigint, OUT months usage_months[], OUT integrations integrations[], OUT slots slots[]
)
    LANGUAGE plpgsql
    STABLE
    STRICT
    SET search_path FROM CURRENT
AS $$
DECLARE
    stands text;
BEGIN
    -- Before the statements that read: inside one of them, the policy may be evaluated first.
    stands := set_config('app.tenant_id', t::text, true);
    clock := now();
    agents := (SELECT count(*) FROM (SELECT FROM agents AS r WHERE r.tenant_id = t AND r.workspace_id = w LIMIT most) AS counted);
    months := ARRAY(SELECT r FROM usage_months AS r
        WHERE r.tenant_id = t AND r.workspace_id = w
            AND r.month BETWEEN (clock - interval '33 days')::date AND (clock + interval '2 days')::date);
    integrations := ARRAY(SELECT r FROM integrations AS r WHERE r.tenant_id = t AND r.workspace_id = w);
    slots := ARRAY(SELECT r FROM slots AS r WHERE r.tenant_id = t AND r.workspace_id = w LIMIT most);
END
$$;

GRANT EXECUTE ON FUNCTION workspace_contents(uuid, uuid, integer) TO tenantry_service;
