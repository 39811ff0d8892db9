//! Integrations: a workspace's connections to providers. Their secrets are write-only.

use chrono::{DateTime, Utc};

use crate::{
    API_KEY_SECRET, API_KEY_SID, ApiKeySid, Noun, PlainField, PlainSecret, Provider, REFRESH_TOKEN, REGION, TenantId,
    TwilioRegion, WorkspaceId,
    audit::Fields,
    ids::Identified,
    values::{Choice, choices},
};

/// What may be known of a stored secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretTrace {
    /// Its last four characters; `None` for a short one.
    pub last_four: Option<String>,
    /// When it was set.
    pub set_at: DateTime<Utc>,
    /// Whether it can be renewed when it ends.
    pub renewable: bool,
}

/// The provider's last verdict on the current fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// Whether it takes them.
    pub status: VerificationStatus,
    /// When it last said so; `None` while it has not.
    pub verified_at: Option<DateTime<Utc>>,
    /// Why the last attempt did not end well, in our words.
    pub last_error: Option<String>,
}

/// Whether a provider takes the fields of an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VerificationStatus {
    /// It has not said yet.
    #[default]
    Unverified,
    /// It does.
    Ok,
    /// It does, and does not let them do all that Tenantry asks for.
    Limited,
    /// It does not.
    Failed,
}

impl Choice for VerificationStatus {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Unverified, "unverified"), (Self::Ok, "ok"), (Self::Limited, "limited"), (Self::Failed, "failed")];
    const MEANING: &'static str = "Whether the provider accepted the fields of an integration.";
}
choices!(VerificationStatus);

/// How complete an integration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionStatus {
    /// Nothing.
    NotConnected,
    /// Something, and not all that it needs.
    Incomplete,
    /// All that it needs.
    Connected,
}

impl Choice for ConnectionStatus {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::NotConnected, "not_connected"), (Self::Incomplete, "incomplete"), (Self::Connected, "connected")];
    const MEANING: &'static str = "How complete an integration is.";
}
choices!(ConnectionStatus);

/// A workspace's connection to a provider, without its secret. One that was never made is there too, with nothing in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The workspace it belongs to.
    pub workspace_id: WorkspaceId,
    /// To whom.
    pub provider: Provider,
    /// The field that is not secret.
    pub plain: Option<PlainField>,
    /// The API key that the secret is of, at Twilio; `None` for the secret of the account.
    pub api_key_sid: Option<ApiKeySid>,
    /// The region that the secret is good in, at Twilio; `None` where none was named.
    pub twilio_region: Option<TwilioRegion>,
    /// What may be known of the secret, if there is one.
    pub secret: Option<SecretTrace>,
    /// What the provider says.
    pub verification: Verification,
    /// Counts the visible changes; 0 for one that was never made.
    pub version: i64,
    /// When it last changed; `None` for one that was never made.
    pub updated_at: Option<DateTime<Utc>>,
}

impl Identified for Integration {
    const NOUN: Noun = Noun::Integration;
}

impl Integration {
    /// One that was never made.
    pub fn never_made(tenant_id: TenantId, workspace_id: WorkspaceId, provider: Provider) -> Self {
        let verification = Verification::default();
        Self {
            tenant_id,
            workspace_id,
            provider,
            plain: None,
            api_key_sid: None,
            twilio_region: None,
            secret: None,
            verification,
            version: 0,
            updated_at: None,
        }
    }

    /// How much of it is there.
    pub fn status(&self) -> ConnectionStatus {
        match (self.missing().is_empty(), self.plain.is_none() && self.secret.is_none()) {
            (true, _) => ConnectionStatus::Connected,
            (false, true) => ConnectionStatus::NotConnected,
            (false, false) => ConnectionStatus::Incomplete,
        }
    }

    /// The names of the fields that it needs and does not have.
    pub fn missing(&self) -> Vec<&'static str> {
        let plain = self.provider.plain_field().filter(|(_, needed)| *needed && self.plain.is_none());
        let secret = self.secret.is_none().then(|| self.provider.secret_field());
        plain.map(|(name, _)| name).into_iter().chain(secret).collect()
    }

    /// The name of the field that the secret is set with.
    pub fn secret_field(&self) -> &'static str {
        if self.api_key_sid.is_some() { API_KEY_SECRET } else { self.provider.secret_field() }
    }

    /// The fields as the audit log names them: of a secret only that it is set.
    pub fn fields(&self) -> Fields {
        let named = |field: &str| format!("{}.{field}", self.provider);
        let mut fields = Fields::new();
        if let Some((name, _)) = self.provider.plain_field() {
            fields = fields.with(&named(name), self.plain.as_ref().map(PlainField::as_str));
        }
        if self.provider == Provider::Twilio {
            fields = fields
                .with(&named(API_KEY_SID), self.api_key_sid.as_ref().map(ApiKeySid::as_str))
                .with(&named(REGION), self.twilio_region.map(TwilioRegion::as_str));
        }
        if self.provider == Provider::GoHighLevel {
            let renewable = self.secret.as_ref().is_some_and(|secret| secret.renewable);
            fields = fields.with(&named(REFRESH_TOKEN), renewable.then_some("set"));
        }
        for name in self.provider.secret_fields() {
            let set = self.secret.is_some() && *name == self.secret_field();
            fields = fields.with(&named(name), set.then_some("set"));
        }
        fields
            .with(&named("verificationStatus"), self.verification.status.as_str())
            .with(&named("verifiedAt"), self.verification.verified_at.map(|at| at.to_rfc3339()))
            .with(&named("lastError"), self.verification.last_error.as_deref())
    }

    /// [`Integration::fields`] after a change from `before`, in which the secret was set anew or not.
    pub fn fields_after(&self, before: &Self, secret_set: bool) -> Fields {
        let replaced = secret_set && before.secret.is_some();
        let name = format!("{}.{}", self.provider, self.secret_field());
        if replaced { self.fields().with(&name, "changed") } else { self.fields() }
    }
}

/// A change to the fields of an integration: what is `None` stays, `Some(None)` clears.
#[derive(Debug, Clone, Default)]
pub struct IntegrationPatch {
    /// The field that is not secret; of the provider that is changed.
    pub plain: Option<Option<PlainField>>,
    /// The API key that the secret is of. It changes with the secret.
    pub api_key_sid: Option<Option<ApiKeySid>>,
    /// The region that the secret is good in.
    pub twilio_region: Option<Option<TwilioRegion>>,
    /// The secret.
    pub secret: Option<Option<PlainSecret>>,
}

impl IntegrationPatch {
    /// All fields of an integration, whatever they were.
    pub fn replacing(plain: Option<PlainField>, secret: PlainSecret) -> Self {
        Self { plain: Some(plain), api_key_sid: Some(None), twilio_region: Some(None), secret: Some(Some(secret)) }
    }

    /// With the secret of this API key, and not that of the account.
    pub fn of_api_key(self, sid: ApiKeySid) -> Self {
        Self { api_key_sid: Some(Some(sid)), ..self }
    }

    /// With a secret that is good in this region of Twilio.
    pub fn in_region(self, region: TwilioRegion) -> Self {
        Self { twilio_region: Some(Some(region)), ..self }
    }

    /// Whether it names only fields that the provider has.
    pub fn is_of(&self, provider: Provider) -> bool {
        let of_twilio = self.api_key_sid.as_ref().is_some_and(Option::is_some)
            || self.twilio_region.as_ref().is_some_and(Option::is_some);
        (provider == Provider::Twilio || !of_twilio) && self.plain.iter().flatten().all(|plain| plain.is_of(provider))
    }

    /// Whether it leaves everything as it is.
    pub fn leaves(&self, integration: &Integration) -> bool {
        let plain = self.plain.as_ref().is_none_or(|plain| *plain == integration.plain);
        let secret = match &self.secret {
            None => true,
            Some(None) => integration.secret.is_none(),
            Some(Some(_)) => false,
        };
        plain
            && secret
            && self.api_key_sid.as_ref().is_none_or(|sid| *sid == integration.api_key_sid)
            && self.twilio_region.is_none_or(|region| region == integration.twilio_region)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const SID: &str = "AC0123456789abcdef0123456789ABCDEF";

    fn none(provider: Provider) -> Integration {
        let (tenant, workspace) = (TenantId::from_uuid(Uuid::nil()), WorkspaceId::from_uuid(Uuid::nil()));
        Integration::never_made(tenant, workspace, provider)
    }

    #[test]
    fn an_integration_is_connected_when_it_has_what_it_needs() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let secret = Some(SecretTrace { last_four: None, set_at: now, renewable: false });
        let sid = PlainField::parse(Provider::Twilio, SID).ok();
        let status = |integration: Integration| (integration.status().as_str(), integration.missing());
        assert_eq!(status(none(Provider::Twilio)), ("not_connected", vec!["sid", "authToken"]));
        let half = Integration { plain: sid.clone(), ..none(Provider::Twilio) };
        assert_eq!(status(half), ("incomplete", vec!["authToken"]));
        let half = Integration { secret: secret.clone(), ..none(Provider::Twilio) };
        assert_eq!(status(half), ("incomplete", vec!["sid"]));
        assert_eq!(status(Integration { plain: sid, secret: secret.clone(), ..none(Provider::Twilio) }).0, "connected");
        for provider in [Provider::OpenAi, Provider::ElevenLabs] {
            assert_eq!(status(Integration { secret: secret.clone(), ..none(provider) }).0, "connected");
        }
    }

    #[test]
    fn a_patch_of_another_providers_field_is_not_of_this_one() {
        let patch = IntegrationPatch {
            plain: Some(PlainField::parse(Provider::Twilio, SID).ok()),
            ..IntegrationPatch::default()
        };
        assert!(
            patch.is_of(Provider::Twilio)
                && !patch.is_of(Provider::GoHighLevel)
                && !patch.leaves(&none(Provider::Twilio))
        );
        assert!(IntegrationPatch::default().leaves(&none(Provider::OpenAi)));
    }

    #[test]
    fn the_log_hears_of_a_secret_that_it_is_set_or_changed() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let secret = Some(SecretTrace { last_four: Some("7890".to_owned()), set_at: now, renewable: false });
        let set = Integration { secret, ..none(Provider::OpenAi) };
        let shown = |fields: Fields| format!("{fields:?}");
        assert!(shown(set.fields_after(&none(Provider::OpenAi), true)).contains("\"openai.apiKey\": String(\"set\")"));
        assert!(shown(set.fields_after(&set, true)).contains("\"changed\""));
        assert!(!shown(set.fields_after(&set, false)).contains("changed") && !shown(set.fields()).contains("7890"));
    }
}
