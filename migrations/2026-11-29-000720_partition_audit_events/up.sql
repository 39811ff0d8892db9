-- The audit log in partitions by the time of its events, so that what is too old is dropped and not deleted. There are two at first: the
-- table of before has all events until the end of the next month, and another one what comes after. Housekeeping makes months of
-- the second before they begin, as the owner. If nobody runs it, the second takes everything: no write ever fails for want of a partition.
--
-- Nothing is copied and nothing is read: the keys and indexes are the same, and the constraint says what the first partition holds.
-- Requests wait for a moment. A partition is reached through its table: the role of the service has no rights on it, and row security is
-- forced on it all the same.
DO $$
DECLARE
    bound text := (SELECT substring(pg_get_constraintdef(oid) FROM '''([0-9a-f-]{36})''') FROM pg_constraint
                   WHERE conname = 'audit_events_until');
BEGIN
    ALTER TABLE webhook_deliveries DROP CONSTRAINT webhook_deliveries_event_fkey;

    ALTER TABLE audit_events RENAME TO audit_events_oldest;
    ALTER TABLE audit_events_oldest RENAME CONSTRAINT audit_events_pkey TO audit_events_oldest_pkey;
    ALTER INDEX audit_events_occurred_at RENAME TO audit_events_oldest_occurred_at;
    ALTER INDEX audit_events_actor RENAME TO audit_events_oldest_actor;
    ALTER INDEX audit_events_subject RENAME TO audit_events_oldest_subject;
    ALTER INDEX audit_events_action RENAME TO audit_events_oldest_action;
    REVOKE ALL ON audit_events_oldest FROM tenantry_service;

    CREATE TABLE audit_events (
        LIKE audit_events_oldest INCLUDING DEFAULTS,
        CONSTRAINT audit_events_pkey PRIMARY KEY (tenant_id, id),
        CONSTRAINT audit_events_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT
    ) PARTITION BY RANGE (id);
    CREATE INDEX audit_events_occurred_at ON audit_events (tenant_id, occurred_at, id);
    CREATE INDEX audit_events_actor ON audit_events (tenant_id, actor_id, occurred_at, id);
    CREATE INDEX audit_events_subject ON audit_events (tenant_id, subject_id, occurred_at, id);
    CREATE INDEX audit_events_action ON audit_events (tenant_id, action, occurred_at, id);
    ALTER TABLE audit_events ALTER tenant_id SET (n_distinct = 1);

    EXECUTE format('ALTER TABLE audit_events ATTACH PARTITION audit_events_oldest FOR VALUES FROM (MINVALUE) TO (%L)', bound);
    ALTER TABLE audit_events_oldest DROP CONSTRAINT audit_events_until;
    EXECUTE format('CREATE TABLE audit_events_newest PARTITION OF audit_events FOR VALUES FROM (%L) TO (MAXVALUE)', bound);
    ALTER TABLE audit_events_newest ALTER tenant_id SET (n_distinct = 1);

    ALTER TABLE audit_events ENABLE ROW LEVEL SECURITY;
    ALTER TABLE audit_events FORCE ROW LEVEL SECURITY;
    CREATE POLICY audit_events_of_the_tenant ON audit_events
        USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
        WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
    ALTER TABLE audit_events_newest ENABLE ROW LEVEL SECURITY;
    ALTER TABLE audit_events_newest FORCE ROW LEVEL SECURITY;
    CREATE POLICY audit_events_of_the_tenant ON audit_events_newest
        USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
        WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
    GRANT SELECT, INSERT ON audit_events TO tenantry_service;

    ALTER TABLE webhook_deliveries ADD CONSTRAINT webhook_deliveries_event_fkey
        FOREIGN KEY (tenant_id, event_id) REFERENCES audit_events (tenant_id, id) ON DELETE RESTRICT;
END
$$;
