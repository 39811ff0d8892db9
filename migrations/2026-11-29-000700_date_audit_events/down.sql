-- Events keep the ids that they were given.
ALTER TABLE audit_events DROP CONSTRAINT audit_events_until;

DROP FUNCTION event_id(uuid, timestamptz);
DROP FUNCTION first_event_id(timestamptz);
