ALTER TABLE tenants
    DROP COLUMN suspended_at,
    DROP COLUMN deleted_at,
    DROP COLUMN max_workspaces,
    DROP COLUMN max_members,
    DROP COLUMN mail_due_at;
