-- What the platform decides about a tenant: whether its credentials are good, and what it may have at most. And when its
-- outbox has something to send, because nobody above the tenants sees into an outbox.
ALTER TABLE tenants
    ADD COLUMN suspended_at timestamptz,
    ADD COLUMN deleted_at timestamptz,
    ADD COLUMN max_workspaces integer,
    ADD COLUMN max_members integer,
    ADD COLUMN mail_due_at timestamptz;

-- The few tenants with something to send, the one that waits longest first. Above all tenants, as tenants_created_at.
CREATE INDEX tenants_mail_due_at ON tenants (mail_due_at, id) WHERE mail_due_at IS NOT NULL;

GRANT UPDATE (suspended_at, deleted_at, max_workspaces, max_members, mail_due_at) ON tenants TO tenantry_service;
