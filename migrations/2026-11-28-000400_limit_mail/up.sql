-- How many invitations a tenant may have pending, and how many emails it may cause in a day, where the platform says something
-- else than the settings of the service. The binary before this one knows no such limits, and inserts as it did.
ALTER TABLE tenants
    ADD COLUMN max_pending_invitations integer,
    ADD COLUMN max_emails_per_day integer,
    ADD COLUMN max_emails_per_recipient integer;

GRANT UPDATE (max_pending_invitations, max_emails_per_day, max_emails_per_recipient) ON tenants TO tenantry_service;

-- When the last email about one thing was wanted. What a tenant wanted in a day is found by outbox_messages_created_at.
CREATE INDEX outbox_messages_about ON outbox_messages (tenant_id, subject_id, created_at);
