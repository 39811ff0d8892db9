//! What a caller is shown of an integration: never a secret.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::{ConnectionStatus, Integration, PlainField, Provider, VerificationStatus};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{api::millis_option, schema::Word};

pub(super) type ProviderWord = Word<Provider>;
type ConnectionStatusWord = Word<ConnectionStatus>;
type VerificationStatusWord = Word<VerificationStatus>;

/// A workspace's connection to a provider. Secrets are write-only.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Integration)]
pub(crate) struct IntegrationView {
    /// The tenant it belongs to.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// The workspace it belongs to.
    #[schema(example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    workspace_id: Uuid,
    /// To whom.
    #[schema(example = "openai")]
    provider: ProviderWord,
    /// `connected` when it has all fields that it needs, `incomplete` when it has some, else `not_connected`.
    #[schema(example = "connected")]
    status: ConnectionStatusWord,
    /// Every field that the provider has, set or not.
    fields: Vec<IntegrationField>,
    /// What the provider last said to the fields as they are.
    #[schema(example = "ok")]
    verification_status: VerificationStatusWord,
    /// When it said so.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = "2026-03-01T16:45:00.000Z")]
    verified_at: Option<DateTime<Utc>>,
    /// Why the last attempt to verify it did not end well.
    #[schema(required, example = json!(null))]
    last_error: Option<String>,
    /// When it last changed; `null` for one that was never made.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = "2026-03-01T16:45:00.000Z")]
    updated_at: Option<DateTime<Utc>>,
}

/// One field of an integration.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IntegrationField {
    /// Its name, as in the request that sets it.
    #[schema(example = "apiKey")]
    name: &'static str,
    /// Whether its value is never shown.
    #[schema(example = true)]
    secret: bool,
    /// Whether the connection needs it.
    #[schema(example = true)]
    required: bool,
    /// Whether it is set.
    #[schema(example = true)]
    set: bool,
    /// Its value, if it is no secret.
    #[schema(required, example = json!(null))]
    value: Option<String>,
    /// The last four characters of a secret of twelve or more.
    #[schema(required, example = "7a9e")]
    last_four: Option<String>,
    /// When the secret was set.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = "2026-03-01T16:45:00.000Z")]
    set_at: Option<DateTime<Utc>>,
}

/// The integrations of a workspace.
#[derive(Serialize, ToSchema)]
pub(crate) struct IntegrationList {
    /// One for each provider there is, connected or not.
    data: Vec<IntegrationView>,
}

impl IntegrationList {
    pub(super) fn of(integrations: Vec<Integration>) -> Self {
        Self { data: integrations.into_iter().map(IntegrationView::from).collect() }
    }
}

impl From<Integration> for IntegrationView {
    fn from(integration: Integration) -> Self {
        Self {
            tenant_id: integration.tenant_id.uuid(),
            workspace_id: integration.workspace_id.uuid(),
            provider: Word(integration.provider),
            status: Word(integration.status()),
            fields: fields(&integration),
            verification_status: Word(integration.verification.status),
            verified_at: integration.verification.verified_at,
            last_error: integration.verification.last_error,
            updated_at: integration.updated_at,
        }
    }
}

fn fields(integration: &Integration) -> Vec<IntegrationField> {
    let (provider, secret) = (integration.provider, integration.secret.as_ref());
    let plain = provider.plain_field().map(|(name, required)| IntegrationField {
        name,
        secret: false,
        required,
        set: integration.plain.is_some(),
        value: integration.plain.as_ref().map(PlainField::as_str).map(str::to_owned),
        last_four: None,
        set_at: None,
    });
    let secret = IntegrationField {
        name: provider.secret_field(),
        secret: true,
        required: true,
        set: secret.is_some(),
        value: None,
        last_four: secret.and_then(|secret| secret.last_four.clone()),
        set_at: secret.map(|secret| secret.set_at),
    };
    plain.into_iter().chain([secret]).collect()
}
