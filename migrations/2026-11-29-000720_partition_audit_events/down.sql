-- One table again. The rows of months that housekeeping has made are copied into the first partition, which becomes the table.
ALTER TABLE webhook_deliveries DROP CONSTRAINT webhook_deliveries_event_fkey;

DO $$
DECLARE
    last uuid;
    newest timestamptz := now();
    part regclass;
BEGIN
    -- Forced row security binds the owner too, who would copy nothing.
    ALTER TABLE audit_events NO FORCE ROW LEVEL SECURITY;
    FOR part IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'audit_events'::regclass LOOP
        EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', part);
    END LOOP;
    ALTER TABLE audit_events DETACH PARTITION audit_events_oldest;
    INSERT INTO audit_events_oldest SELECT * FROM audit_events;
    DROP TABLE audit_events;
    SELECT id INTO last FROM audit_events_oldest ORDER BY id DESC LIMIT 1;
    IF last IS NOT NULL THEN
        newest := greatest(newest, to_timestamp(('x' || substr(replace(last::text, '-', ''), 1, 12))::bit(48)::bigint / 1000));
    END IF;

    ALTER TABLE audit_events_oldest RENAME TO audit_events;
    ALTER TABLE audit_events RENAME CONSTRAINT audit_events_oldest_pkey TO audit_events_pkey;
    ALTER INDEX audit_events_oldest_occurred_at RENAME TO audit_events_occurred_at;
    ALTER INDEX audit_events_oldest_actor RENAME TO audit_events_actor;
    ALTER INDEX audit_events_oldest_subject RENAME TO audit_events_subject;
    ALTER INDEX audit_events_oldest_action RENAME TO audit_events_action;
    EXECUTE format('ALTER TABLE audit_events ADD CONSTRAINT audit_events_until CHECK (id < %L)',
                   -- As when the table was divided: there is a month at least until an event is beyond it.
                   first_event_id(date_trunc('month', newest AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '2 months'));
    ALTER TABLE audit_events FORCE ROW LEVEL SECURITY;
END
$$;

GRANT SELECT, INSERT ON audit_events TO tenantry_service;

ALTER TABLE webhook_deliveries ADD CONSTRAINT webhook_deliveries_event_fkey
    FOREIGN KEY (tenant_id, event_id) REFERENCES audit_events (tenant_id, id) ON DELETE RESTRICT;
