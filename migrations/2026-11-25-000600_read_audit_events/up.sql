-- The audit log can be read: by its own tenant, newest first, and by what somebody looks for. Nobody changes it.
CREATE INDEX audit_events_actor ON audit_events (tenant_id, actor_id, occurred_at, id);
CREATE INDEX audit_events_subject ON audit_events (tenant_id, subject_id, occurred_at, id);
CREATE INDEX audit_events_action ON audit_events (tenant_id, action, occurred_at, id);

GRANT SELECT ON audit_events TO tenantry_service;
