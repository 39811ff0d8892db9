-- Every index of a tenant's table begins with its tenant. While a table is small, all of them seem equally good for a row that is looked
-- for by its key, and PostgreSQL may take one by which it reads all rows of the tenant. A connection keeps such a plan while the table
-- grows, until somebody looks at the table again. So the planner is told that all rows are one tenant's: what is then planned is
-- right for a large tenant, and costs a small one nothing. It counts from the next ANALYZE on, which PostgreSQL does by itself.
ALTER TABLE brands ALTER tenant_id SET (n_distinct = 1);
ALTER TABLE workspaces ALTER tenant_id SET (n_distinct = 1);
ALTER TABLE api_keys ALTER tenant_id SET (n_distinct = 1);
ALTER TABLE audit_events ALTER tenant_id SET (n_distinct = 1);
ALTER TABLE members ALTER tenant_id SET (n_distinct = 1);
ALTER TABLE assignments ALTER tenant_id SET (n_distinct = 1);
ALTER TABLE invitations ALTER tenant_id SET (n_distinct = 1);
ALTER TABLE invitation_workspaces ALTER tenant_id SET (n_distinct = 1);
ALTER TABLE invitation_tokens ALTER tenant_id SET (n_distinct = 1);
ALTER TABLE outbox_messages ALTER tenant_id SET (n_distinct = 1);
ALTER TABLE agents ALTER tenant_id SET (n_distinct = 1);
ALTER TABLE usage_entries ALTER tenant_id SET (n_distinct = 1);
ALTER TABLE usage_months ALTER tenant_id SET (n_distinct = 1);
ALTER TABLE integrations ALTER tenant_id SET (n_distinct = 1);
ALTER TABLE idempotency_keys ALTER tenant_id SET (n_distinct = 1);
