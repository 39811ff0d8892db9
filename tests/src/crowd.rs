//! A tenant with a lot in it, made in the database itself, because requests would take too long.

use std::fmt::Display;

/// How much there is of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowd {
    /// Workspaces in the default brand.
    pub workspaces: u32,
    /// Members, each assigned to ten of the workspaces.
    pub members: u32,
    /// Entries of usage.
    pub usage_entries: u32,
}

impl Crowd {
    /// Puts all of it into a tenant that has no workspaces yet, into this brand.
    pub fn sql(self, id: impl Display, brand: impl Display) -> String {
        let Self { workspaces, members, usage_entries } = self;
        format!(
            "INSERT INTO workspaces (tenant_id, id, brand_id, name, country, operating_language, currency, workspace_type, number,
                                     external_id, metadata, created_at, updated_at)
             SELECT '{id}', gen_random_uuid(), '{brand}', 'Workspace ' || n, 'DE', 'de', 'EUR', 'b2b', n, 'crm-' || n, jsonb_build_object('tier', 'gold'), now() - n * interval '1 minute', now()
             FROM generate_series(1, {workspaces}) AS n;
             INSERT INTO workspace_metadata (tenant_id, workspace_id, name, value, created_at)
             SELECT tenant_id, id, 'tier', 'gold', created_at FROM workspaces WHERE tenant_id = '{id}';
             INSERT INTO members (tenant_id, id, email, email_key, role, status, issuer, subject, created_at)
             SELECT '{id}', gen_random_uuid(), 'member' || n || '@example.com', 'member' || n || '@example.com', 'agent', 'active',
                    'https://login.example.com/', 'subject ' || n, now() - n * interval '1 minute'
             FROM generate_series(1, {members}) AS n;
             INSERT INTO assignments (tenant_id, workspace_id, member_id, number)
             SELECT '{id}', w.id, m.id, row_number() OVER ()
             FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM members WHERE tenant_id = '{id}') AS m
             CROSS JOIN generate_series(0, 9) AS k
             JOIN workspaces AS w ON w.tenant_id = '{id}' AND w.number = 1 + (m.n * 10 + k) % {workspaces};
             INSERT INTO usage_entries (tenant_id, id, workspace_id, kind, seconds, used_at, month, reference)
             SELECT '{id}', gen_random_uuid(), w.id, 'usage', 60 + n % 7, '2026-03-02T10:00:00Z', '2026-03-01', 'call-' || n
             FROM generate_series(1, {usage_entries}) AS n
             JOIN workspaces AS w ON w.tenant_id = '{id}' AND w.number = 1 + n % {workspaces};
             INSERT INTO usage_months (tenant_id, workspace_id, month, seconds)
             SELECT tenant_id, workspace_id, month, sum(seconds) FROM usage_entries WHERE tenant_id = '{id}' GROUP BY 1, 2, 3;
             UPDATE tenants SET last_workspace_number = {workspaces}, last_place_number = {members} * 10,
                                workspace_count = {workspaces}, member_count = {members}
             WHERE id = '{id}';
             UPDATE brands SET workspace_count = {workspaces} WHERE tenant_id = '{id}';
             ANALYZE"
        )
    }
}
