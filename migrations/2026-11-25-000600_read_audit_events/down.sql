REVOKE SELECT ON audit_events FROM tenantry_service;

DROP INDEX audit_events_action;
DROP INDEX audit_events_subject;
DROP INDEX audit_events_actor;
