-- Where a tenant wants to be told of its events, and what became of telling it. An event is a row of the audit log. Whoever writes one
-- writes a delivery for each webhook that asked for it, in the same transaction. The secrets are sealed as those of integrations are.
CREATE TABLE webhooks (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    url text NOT NULL,
    -- NULL: all events.
    events text[],
    description text,
    enabled boolean NOT NULL DEFAULT true,
    -- Why it is not enabled.
    disabled_reason text,
    -- The secret, and the one before it; NULL where they were given up because they did not decrypt.
    sealed_secrets bytea,
    key_version integer,
    secret_set_at timestamptz NOT NULL,
    -- Until when the secret before still signs.
    previous_until timestamptz,
    -- Since when no delivery has succeeded, and how often in a row.
    failing_since timestamptz,
    failures integer NOT NULL DEFAULT 0,
    -- Nobody sends to it before. While somebody does, the time at which they are given up.
    next_turn_at timestamptz NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhooks_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT webhooks_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT,
    CONSTRAINT webhooks_reason_whole CHECK (enabled = (disabled_reason IS NULL)),
    CONSTRAINT webhooks_secret_whole CHECK ((sealed_secrets IS NULL) = (key_version IS NULL))
);

CREATE INDEX webhooks_created_at ON webhooks (tenant_id, created_at, id);
CREATE INDEX webhooks_updated_at ON webhooks (tenant_id, updated_at, id);
CREATE INDEX webhooks_url ON webhooks (tenant_id, url, id);

ALTER TABLE webhooks ALTER tenant_id SET (n_distinct = 1);
ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhooks FORCE ROW LEVEL SECURITY;
CREATE POLICY webhooks_of_the_tenant ON webhooks
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

GRANT SELECT, INSERT, DELETE ON webhooks TO tenantry_service;
GRANT UPDATE (url, events, description, enabled, disabled_reason, sealed_secrets, key_version, secret_set_at, previous_until,
              failing_since, failures, next_turn_at, version, updated_at) ON webhooks TO tenantry_service;

-- One event for one webhook.
CREATE TABLE webhook_deliveries (
    tenant_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    event_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'pending',
    attempts integer NOT NULL DEFAULT 0,
    -- Not now(): whoever waited for a lock began earlier than whoever held it, and writes later.
    next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_attempt_at timestamptz,
    last_status integer,
    last_answer text,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (tenant_id, webhook_id, event_id),
    CONSTRAINT webhook_deliveries_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT,
    CONSTRAINT webhook_deliveries_webhook_fkey
        FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhooks (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT webhook_deliveries_event_fkey
        FOREIGN KEY (tenant_id, event_id) REFERENCES audit_events (tenant_id, id) ON DELETE RESTRICT
);

-- Sent in this order.
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (tenant_id, webhook_id, next_attempt_at, event_id) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_created_at ON webhook_deliveries (tenant_id, webhook_id, created_at, event_id);
CREATE INDEX webhook_deliveries_event ON webhook_deliveries (tenant_id, event_id);
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (tenant_id, updated_at) WHERE state <> 'pending';

ALTER TABLE webhook_deliveries ALTER tenant_id SET (n_distinct = 1);
ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY webhook_deliveries_of_the_tenant ON webhook_deliveries
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

GRANT SELECT, INSERT, DELETE ON webhook_deliveries TO tenantry_service;
GRANT UPDATE (state, attempts, next_attempt_at, last_attempt_at, last_status, last_answer, last_error, updated_at) ON webhook_deliveries
    TO tenantry_service;

-- When a tenant's webhooks have something to do: nobody above the tenants sees into their rows, and a worker must know where to look.
ALTER TABLE tenants ADD COLUMN webhooks_due_at timestamptz;
CREATE INDEX tenants_webhooks_due_at ON tenants (webhooks_due_at, id) WHERE webhooks_due_at IS NOT NULL;
GRANT UPDATE (webhooks_due_at) ON tenants TO tenantry_service;
