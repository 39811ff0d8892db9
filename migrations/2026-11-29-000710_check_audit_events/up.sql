-- Reads all events once, while others read and write: so the table becomes a partition without being read under a lock.
ALTER TABLE audit_events VALIDATE CONSTRAINT audit_events_until;
