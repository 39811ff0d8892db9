-- The audit log will be partitioned by the time in the ids of events (UUIDs of version 7): so the primary key stays as it is, a delivery
-- still refers to an event, and one event is looked for in one partition. Here each event gets an id of its time. Rows are changed one
-- tenant after the other by the primary key, and no table is locked but for a moment at the end.

-- The lowest id of an event of this time.
CREATE FUNCTION first_event_id(at timestamptz) RETURNS uuid
    LANGUAGE sql
    STABLE
    STRICT
AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;

-- This id, where its time is that of the event. Where the clock of who made it is more than a day away, or it has no time in it, an id
-- with the time of the event and else the same digits.
CREATE FUNCTION event_id(id uuid, at timestamptz) RETURNS uuid
    LANGUAGE sql
    STABLE
    STRICT
AS $$
    SELECT CASE
        WHEN id >= first_event_id(at - interval '1 day') AND id < first_event_id(at + interval '1 day') THEN id
        ELSE (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(replace(id::text, '-', ''), 14))::uuid
    END
$$;

GRANT EXECUTE ON FUNCTION first_event_id(timestamptz), event_id(uuid, timestamptz) TO tenantry_service;

DO $$
DECLARE
    -- Where the first partition ends: there is a month at least until it is reached.
    bound uuid := first_event_id(date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '2 months');
    tenant uuid;
BEGIN
    PERFORM set_platform();
    FOR tenant IN SELECT id FROM tenants LOOP
        PERFORM set_tenant(tenant::text);
        -- Refused attempts had a hash for an id.
        CONTINUE WHEN NOT EXISTS (SELECT FROM audit_events AS e WHERE e.tenant_id = tenant AND e.id >= bound);
        INSERT INTO audit_events
        SELECT e.tenant_id, event_id(e.id, e.occurred_at), e.action, e.actor_type, e.actor_id, e.subject_type, e.subject_id, e.changes,
               e.request_id, e.address, e.occurred_at
        FROM audit_events AS e WHERE e.tenant_id = tenant AND e.id >= bound
        ON CONFLICT DO NOTHING;
        UPDATE webhook_deliveries AS d SET event_id = event_id(e.id, e.occurred_at)
        FROM audit_events AS e
        WHERE d.tenant_id = tenant AND e.tenant_id = tenant AND e.id = d.event_id AND e.id >= bound;
        DELETE FROM audit_events AS e WHERE e.tenant_id = tenant AND e.id >= bound;
    END LOOP;
    EXECUTE format('ALTER TABLE audit_events ADD CONSTRAINT audit_events_until CHECK (id < %L) NOT VALID', bound);
END
$$;
