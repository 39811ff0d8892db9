DROP INDEX outbox_messages_about;

ALTER TABLE tenants
    DROP COLUMN max_pending_invitations,
    DROP COLUMN max_emails_per_day,
    DROP COLUMN max_emails_per_recipient;
