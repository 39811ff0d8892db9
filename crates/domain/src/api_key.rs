//! API keys: machine credentials of a tenant.

use std::fmt;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::{
    ApiKeyId, ApiKeyName, Conflict, Error, Grant, KeyScope, Maker, Noun, Permissions, Reach, Refusal, SecretHash,
    TenantId,
    audit::Fields,
    ids::Identified,
    input::{Description, input, thousands},
    instant::time_text,
    page::SortKey,
    values::{Choice, choices},
};

/// Whether a key is meant for real use or for trying things out; a label that is part of the key itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeyMode {
    /// Starts with `tnt_live_v1_`.
    #[default]
    Live,
    /// Starts with `tnt_test_v1_`.
    Test,
}

impl Choice for KeyMode {
    const ALL: &'static [(Self, &'static str)] = &[(Self::Live, "live"), (Self::Test, "test")];
    const MEANING: &'static str = "Whether a key is for live or test use.";
}
choices!(KeyMode);

/// An API key as it is stored: everything but its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its identifier, which says nothing about the secret.
    pub id: ApiKeyId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// What it was made for and what it may do.
    pub details: ApiKeyDetails,
    /// The last four characters of the secret, by which a person recognises it.
    pub last_four: String,
    /// Who made it, where that is known.
    pub created_by: Option<Maker>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The key that replaced it, where it was rotated.
    pub replaced_by: Option<ApiKeyId>,
    /// When the key was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Counts the visible changes, from 1.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Identified for ApiKey {
    const NOUN: Noun = Noun::ApiKey;
}

impl SortKey for ApiKey {
    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn name(&self) -> String {
        self.details.name.as_str().to_owned()
    }

    fn times(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.created_at, self.updated_at)
    }
}

/// What a key was made for and what it may do; never changed once it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyDetails {
    /// Display name.
    pub name: ApiKeyName,
    /// Live or test.
    pub mode: KeyMode,
    /// What it may do.
    pub scopes: Vec<KeyScope>,
    /// Where it may do that.
    pub reach: Reach,
    /// Until when it may do that.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key that is to be stored, with what the database needs to recognise its secret.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// See [`ApiKeyDetails`].
    pub details: ApiKeyDetails,
    /// The hash of the secret.
    pub hash: SecretHash,
    /// See [`ApiKey::last_four`].
    pub last_four: String,
}

impl ApiKeyDetails {
    /// A live key of the whole tenant with every scope of Tenantry and no expiry: with what is declared, the first key of an owner.
    pub fn owner(name: ApiKeyName) -> Self {
        Self { name, mode: KeyMode::Live, scopes: KeyScope::every_own(), reach: Reach::Tenant, expires_at: None }
    }

    /// Refuses a key that would grant more than its maker has: more scopes, a larger reach, a longer life.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] with a sentence that says what is too much.
    pub fn within(&self, grant: &Grant, permissions: &Permissions) -> Result<(), Error> {
        for scope in &self.scopes {
            if let KeyScope::Declared(name) = scope {
                permissions.may_pass_on(grant, name)?;
            }
        }
        let Grant::Scopes { scopes, until, .. } = grant else { return Ok(()) };
        if let Some(scope) = self.scopes.iter().find(|scope| !scopes.contains(scope)) {
            let message = format!("Your API key cannot grant the scope {scope}, because it does not have that scope.");
            return Err(Error::Forbidden { message, scope: Some(scope.clone()) });
        }
        match (until, self.expires_at) {
            (Some(until), None) => Err(longer_life(*until)),
            (Some(until), Some(expiry)) if expiry > *until => Err(longer_life(*until)),
            _ => Ok(()),
        }
    }

    /// Refuses an expiry that is not in the future.
    ///
    /// # Errors
    ///
    /// The refusal of `expiresAt`.
    pub fn lives_at(&self, now: DateTime<Utc>) -> Result<(), Error> {
        match self.expires_at {
            Some(expiry) if expiry <= now => {
                let refusal = Refusal::new("in_the_past", format!("must be in the future, not {}", time_text(expiry)));
                Err(Error::Invalid(vec![refusal.of("expiresAt")]))
            }
            _ => Ok(()),
        }
    }

    /// The fields as the audit log names them.
    pub fn fields(&self) -> Fields {
        let (brand, workspace) = self.reach.restriction();
        Fields::new()
            .with("name", self.name.as_str())
            .with("mode", self.mode.as_str())
            .with("scopes", self.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>())
            .with("brandId", brand.map(|id| id.to_string()))
            .with("workspaceId", workspace.map(|id| id.to_string()))
            .with("expiresAt", self.expires_at.map(|at| at.to_rfc3339()))
    }
}

impl ApiKey {
    /// The fields as the audit log names them.
    pub fn fields(&self) -> Fields {
        self.details
            .fields()
            .with("revokedAt", self.revoked_at.map(|at| at.to_rfc3339()))
            .with("replacedBy", self.replaced_by.map(|id| id.to_string()))
    }
}

fn longer_life(until: DateTime<Utc>) -> Error {
    Error::forbidden(format!(
        "The new API key cannot outlive your own. Set expiresAt to {} or earlier.",
        until.to_rfc3339()
    ))
}

/// For how long the old secret stays good after a rotation: 0 seconds to 7 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap(u32);

impl Overlap {
    const MAX: u32 = 7 * 24 * 60 * 60;

    /// The overlap as a duration.
    pub fn duration(self) -> Duration {
        Duration::seconds(self.0.into())
    }
}

impl Default for Overlap {
    /// One day.
    fn default() -> Self {
        Self(24 * 60 * 60)
    }
}

impl TryFrom<i64> for Overlap {
    type Error = Refusal;

    fn try_from(seconds: i64) -> Result<Self, Refusal> {
        match u32::try_from(seconds) {
            Ok(seconds @ 0..=Self::MAX) => Ok(Self(seconds)),
            _ => Err(Refusal::new("out_of_range", format!("must be 0 to {} seconds, not {seconds}", Self::MAX))),
        }
    }
}

input!(
    Overlap,
    i64,
    Description::number(format!("0 to {} seconds (7 days).", thousands(Self::MAX)), 0, i64::from(Self::MAX))
);

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The refusal to revoke the key that the caller is using.
pub fn own_api_key() -> Error {
    Error::conflict(
        Conflict::OwnApiKey,
        "This is the API key you are using. Rotate it to replace it. To revoke it anyway, add ?revokeOwn=true.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Level, MemberId, Role, Scope};

    #[test]
    fn a_key_grants_no_more_than_its_maker_has() {
        let (now, none) = (DateTime::from_timestamp(1_800_000_000, 0).unwrap(), Permissions::default());
        let maker = |until| Grant::Scopes {
            scopes: vec![Scope::KeysWrite.into(), Scope::BrandsRead.into()],
            reach: Reach::Tenant,
            until,
        };
        let key = |scopes: &[Scope], expires_at| ApiKeyDetails {
            scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
            expires_at,
            ..ApiKeyDetails::owner("k".parse().unwrap())
        };
        assert!(key(&[Scope::BrandsRead], None).within(&maker(None), &none).is_ok());
        assert!(key(&[Scope::BrandsRead, Scope::TenantRead], None).within(&maker(None), &none).is_err());
        assert!(key(&[Scope::BrandsRead], None).within(&maker(Some(now)), &none).is_err());
        assert!(key(&[Scope::BrandsRead], Some(now + Duration::seconds(1))).within(&maker(Some(now)), &none).is_err());
        assert!(key(&[Scope::BrandsRead], Some(now)).within(&maker(Some(now)), &none).is_ok());
        assert!(key(&Scope::all(), None).within(&Grant::Operator, &none).is_ok());
    }

    #[test]
    fn an_expiry_is_in_the_future_and_an_overlap_at_most_a_week() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let key = ApiKeyDetails { expires_at: Some(now), ..ApiKeyDetails::owner("k".parse().unwrap()) };
        assert!(key.lives_at(now).is_err());
        assert!(key.lives_at(now - Duration::milliseconds(1)).is_ok());
        assert!(Overlap::try_from(0).is_ok() && Overlap::try_from(604_800).is_ok());
        assert_eq!(Overlap::default().duration(), Duration::days(1));
        assert!(Overlap::try_from(604_801).is_err() && Overlap::try_from(-1).is_err());
    }

    #[test]
    fn a_member_lets_no_key_carry_a_permission_that_the_member_does_not_have() {
        let declared = crate::Permission {
            name: "conversations:read".parse().unwrap(),
            roles: vec![Role::Owner],
            level: Level::Workspace,
            description: "Reads conversations.".parse().unwrap(),
        };
        let declared = Permissions::new(vec![declared]).unwrap();
        let scopes = vec![Scope::BrandsRead.into(), "conversations:read".parse().unwrap()];
        let key = ApiKeyDetails { scopes, ..ApiKeyDetails::owner("k".parse().unwrap()) };
        let member = |role| Grant::Role { member: MemberId::from_uuid(Uuid::nil()), role };
        assert!(key.within(&member(Role::Owner), &declared).is_ok());
        assert!(key.within(&member(Role::Admin), &declared).is_err());
    }
}
