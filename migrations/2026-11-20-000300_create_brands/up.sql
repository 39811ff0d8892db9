-- The customer-facing identities of a tenant; one of them is its default.
CREATE TABLE brands (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    name text COLLATE "und-x-icu" NOT NULL,
    slug text NOT NULL,
    is_default boolean NOT NULL,
    logo_url text,
    primary_color text,
    secondary_color text,
    email_from_name text NOT NULL,
    email_signature_html text,
    email_signature_text text,
    ai_sender_name text,
    ai_sender_title text,
    ai_sender_avatar_url text,
    tone text,
    brand_instructions text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT brands_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT brands_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT,
    CONSTRAINT brands_slug_key UNIQUE (tenant_id, slug)
);

CREATE UNIQUE INDEX brands_default_key ON brands (tenant_id) WHERE is_default;
CREATE INDEX brands_created_at ON brands (tenant_id, created_at, id);
CREATE INDEX brands_updated_at ON brands (tenant_id, updated_at, id);
CREATE INDEX brands_name ON brands (tenant_id, name, id);

ALTER TABLE brands ENABLE ROW LEVEL SECURITY;
ALTER TABLE brands FORCE ROW LEVEL SECURITY;
CREATE POLICY brands_of_the_tenant ON brands
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

GRANT SELECT, INSERT, DELETE ON brands TO tenantry_service;
GRANT UPDATE (name, slug, is_default, logo_url, primary_color, secondary_color, email_from_name, email_signature_html,
              email_signature_text, ai_sender_name, ai_sender_title, ai_sender_avatar_url, tone, brand_instructions,
              version, updated_at)
    ON brands TO tenantry_service;
