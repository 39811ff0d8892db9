//! What does not come back as it was, and why. A test holds this against a round trip of every column of every table, so that
//! nothing is forgotten that the schema has.

/// Columns that an import does not bring back as they were.
#[derive(Debug, Clone, Copy)]
pub struct LeftBehind {
    /// Of this table.
    pub table: &'static str,
    /// These columns; none of them named is the whole table.
    pub columns: &'static [&'static str],
    /// Whether the file tells them all the same.
    pub in_file: bool,
    /// Why they do not come back.
    pub why: &'static str,
}

/// Everything that does not come back; what is not named here does.
pub const LEFT_BEHIND: &[LeftBehind] = &[
    LeftBehind {
        table: "tenants",
        columns: &[
            "id",
            "version",
            "created_at",
            "updated_at",
            "suspended_at",
            "deleted_at",
            "frozen_at",
            "max_workspaces",
            "max_members",
            "max_agents",
            "max_minutes",
            "max_pending_invitations",
            "max_emails_per_day",
            "max_emails_per_recipient",
            "requests_per_second",
            "request_burst",
            "external_id",
            "metadata",
        ],
        in_file: true,
        why: "the target tenant already exists, and its platform decides on its state, limits and names",
    },
    LeftBehind {
        table: "tenants",
        columns: &["sealed_under"],
        in_file: false,
        why: "encrypted secrets are not exported",
    },
    LeftBehind {
        table: "tenants",
        columns: &["mail_due_at"],
        in_file: false,
        why: "emails that are waiting are not exported",
    },
    LeftBehind {
        table: "tenants",
        columns: &["webhooks_due_at"],
        in_file: false,
        why: "events that are waiting are delivered by the old service",
    },
    LeftBehind {
        table: "webhooks",
        columns: &["sealed_secrets", "key_version", "failures", "next_turn_at"],
        in_file: false,
        why: "a secret is encrypted for its place, under a master key of its service",
    },
    LeftBehind {
        table: "webhooks",
        columns: &["enabled", "disabled_reason", "previous_until", "failing_since", "version"],
        in_file: true,
        why: "a webhook without its secret is not enabled, so its version goes up",
    },
    LeftBehind {
        table: "webhook_deliveries",
        columns: &[],
        in_file: false,
        why: "the events are those of the old audit log, and the old service delivers them",
    },
    LeftBehind {
        table: "tenants",
        columns: &["founding_key_hash"],
        in_file: false,
        why: "the request that created the tenant is not repeated elsewhere",
    },
    LeftBehind {
        table: "idempotency_keys",
        columns: &[],
        in_file: false,
        why: "a request is repeated where it was first sent, within a day",
    },
    LeftBehind {
        table: "integrations",
        columns: &["api_key_sid", "twilio_region", "limited", "renewable", "renewing_until"],
        in_file: false,
        why: "they belong to a secret that must be set again",
    },
    LeftBehind {
        table: "integrations",
        columns: &["sealed_secret", "key_version"],
        in_file: false,
        why: "a secret is encrypted for its place, under a master key of its service",
    },
    LeftBehind {
        table: "integrations",
        columns: &["last_four", "secret_set_at", "verification_status", "verified_at", "last_error"],
        in_file: true,
        why: "they describe a secret that must be set again",
    },
    LeftBehind {
        table: "integrations",
        columns: &["version"],
        in_file: true,
        why: "an integration without its secret has changed, so its version goes up",
    },
    LeftBehind {
        table: "integrations",
        columns: &["discarded_secret", "discarded_key", "discarded_last_four", "discarded_set_at", "discarded_at"],
        in_file: false,
        why: "it is a secret that was given up, encrypted under a master key of the old service",
    },
    LeftBehind { table: "integrations", columns: &["created_at"], in_file: false, why: "it is not shown anywhere" },
    LeftBehind {
        table: "invitations",
        columns: &["expires_at", "version"],
        in_file: true,
        why: "a pending invitation expires, because its emails link to the old service, so its version goes up",
    },
    LeftBehind {
        table: "invitation_tokens",
        columns: &[],
        in_file: false,
        why: "they are secrets, and the emails that contain them link to the old service",
    },
    LeftBehind { table: "outbox_messages", columns: &[], in_file: false, why: "the old service sends them" },
    LeftBehind { table: "api_keys", columns: &["secret_hash"], in_file: false, why: "it must not leave the database" },
    LeftBehind {
        table: "api_keys",
        columns: &[
            "id",
            "name",
            "mode",
            "scopes",
            "brand_id",
            "workspace_id",
            "last_four",
            "expires_at",
            "revoked_at",
            "last_used_at",
            "replaced_by",
            "version",
            "created_at",
            "updated_at",
            "created_by",
        ],
        in_file: true,
        why: "a key is useless without its secret",
    },
    LeftBehind {
        table: "audit_events",
        columns: &[],
        in_file: true,
        why: "the audit log belongs to the database it was written in; keep the file as the record of the old one",
    },
];
