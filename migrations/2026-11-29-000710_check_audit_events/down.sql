DO $$
DECLARE
    condition text := (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'audit_events_until');
BEGIN
    ALTER TABLE audit_events DROP CONSTRAINT audit_events_until;
    EXECUTE format('ALTER TABLE audit_events ADD CONSTRAINT audit_events_until %s NOT VALID', condition);
END
$$;
