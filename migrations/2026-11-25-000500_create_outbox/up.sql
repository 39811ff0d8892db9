-- What is to be sent, written in the transaction that wants it sent. It names what it is about and holds none of the text.
CREATE TABLE outbox_messages (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'pending',
    attempts integer NOT NULL DEFAULT 0,
    -- While somebody sends it, the time at which they are given up.
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT outbox_messages_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT outbox_messages_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT
);

-- What was tried least comes first, so that after a long outage the new does not wait for the old.
CREATE INDEX outbox_messages_due ON outbox_messages (tenant_id, attempts, next_attempt_at) WHERE state = 'pending';
CREATE INDEX outbox_messages_created_at ON outbox_messages (tenant_id, created_at, id);
CREATE INDEX outbox_messages_subject ON outbox_messages (tenant_id, subject_id) WHERE state IN ('pending', 'dead');

ALTER TABLE outbox_messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox_messages FORCE ROW LEVEL SECURITY;
CREATE POLICY outbox_messages_of_the_tenant ON outbox_messages
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

GRANT SELECT, INSERT, DELETE ON outbox_messages TO tenantry_service;
GRANT UPDATE (state, attempts, next_attempt_at, last_error, updated_at) ON outbox_messages TO tenantry_service;
