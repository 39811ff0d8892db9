-- What was answered to a request with an Idempotency-Key, written in the transaction of its work, so that the request can be sent
-- again and has one effect. A row is never changed, and housekeeping deletes it after a day. Nothing in it can be read: the key is
-- hashed, the request is hashed, and the answer is encrypted under a master key.
CREATE TABLE idempotency_keys (
    tenant_id uuid NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    -- Of the route and the key.
    key_hash bytea NOT NULL,
    -- Of the path, the query and the body.
    request_hash bytea NOT NULL,
    sealed_answer bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (tenant_id, actor_kind, actor_id, key_hash),
    CONSTRAINT idempotency_keys_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT
);

-- What is over is deleted, oldest first.
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (tenant_id, created_at);

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY idempotency_keys_of_the_tenant ON idempotency_keys
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

GRANT SELECT, INSERT, DELETE ON idempotency_keys TO tenantry_service;

-- The platform sees the list of tenants and nothing inside any of them. The request that created a tenant is found here, and its
-- answer inside that tenant.
ALTER TABLE tenants ADD COLUMN founding_key_hash bytea;
GRANT UPDATE (founding_key_hash) ON tenants TO tenantry_service;
CREATE INDEX tenants_founding_key_hash ON tenants (founding_key_hash, created_at) WHERE founding_key_hash IS NOT NULL;
