DROP INDEX tenants_webhooks_due_at;
ALTER TABLE tenants DROP COLUMN webhooks_due_at;
DROP TABLE webhook_deliveries;
DROP TABLE webhooks;
