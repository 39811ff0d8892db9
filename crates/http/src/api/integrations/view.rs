//! What a caller is shown of an integration: never a secret.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::{
    API_KEY_SID, ConnectionStatus, Integration, PlainField, Provider, REFRESH_TOKEN, REGION, VerificationStatus,
};
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
    /// The provider.
    #[schema(example = "openai")]
    provider: ProviderWord,
    /// `connected` if all required fields are set, `incomplete` if some are, and `not_connected` otherwise.
    #[schema(example = "connected")]
    status: ConnectionStatusWord,
    /// All fields of the provider, set or not.
    fields: Vec<IntegrationField>,
    /// The provider's last verdict on the current fields.
    #[schema(example = "ok")]
    verification_status: VerificationStatusWord,
    /// When the provider gave that verdict.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = "2026-03-01T16:45:00.000Z")]
    verified_at: Option<DateTime<Utc>>,
    /// Why the last attempt to verify the integration failed.
    #[schema(required, example = json!(null))]
    last_error: Option<String>,
    /// When the integration last changed. `null` if it was never set.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = "2026-03-01T16:45:00.000Z")]
    updated_at: Option<DateTime<Utc>>,
}

/// One field of an integration.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IntegrationField {
    /// The name of the field, as in requests.
    #[schema(example = "apiKey")]
    name: &'static str,
    /// Whether the field is a secret, which is never shown.
    #[schema(example = true)]
    secret: bool,
    /// Whether the field is required for a connection.
    #[schema(example = true)]
    required: bool,
    /// Whether the field is set.
    #[schema(example = true)]
    set: bool,
    /// The value, unless it is a secret.
    #[schema(required, example = json!(null))]
    value: Option<String>,
    /// The last four characters of a secret that has twelve or more.
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
    /// One for each provider, connected or not.
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
    let key = integration.api_key_sid.as_ref().map(|sid| sid.as_str().to_owned());
    let region = integration.twilio_region.map(|region| region.as_str().to_owned());
    let of_twilio = [(API_KEY_SID, key.is_some(), key), (REGION, false, region)];
    let of_twilio = of_twilio.into_iter().filter(|_| provider == Provider::Twilio).map(|(name, required, value)| {
        IntegrationField { name, secret: false, required, set: value.is_some(), value, last_four: None, set_at: None }
    });
    // One of them holds the secret.
    let secrets = provider.secret_fields().iter().map(|name| {
        let used = *name == integration.secret_field();
        let secret = secret.filter(|_| used);
        IntegrationField {
            name,
            secret: true,
            required: used,
            set: secret.is_some(),
            value: None,
            last_four: secret.and_then(|secret| secret.last_four.clone()),
            set_at: secret.map(|secret| secret.set_at),
        }
    });
    let renewable = secret.filter(|secret| secret.renewable);
    let refresh = (provider == Provider::GoHighLevel).then(|| IntegrationField {
        name: REFRESH_TOKEN,
        secret: true,
        required: false,
        set: renewable.is_some(),
        value: None,
        last_four: None,
        set_at: renewable.map(|secret| secret.set_at),
    });
    plain.into_iter().chain(of_twilio).chain(secrets).chain(refresh).collect()
}
