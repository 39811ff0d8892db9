//! The tenant: the account that every other row belongs to, and the defaults that fill what a request leaves out.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    Conflict, CountryCode, CurrencyCode, Error, ExternalId, FieldRefusal, Labels, LanguageCode, MetadataPatch, Noun,
    Refusal, RequestRate, Requests, TenantId, TenantName, WorkspaceType,
    audit::Fields,
    counted,
    ids::Identified,
    input::{Description, input, thousands},
    page::SortKey,
    values::Choice,
};

/// A tenant as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its identifier.
    pub id: TenantId,
    /// What its owner may change.
    pub details: TenantDetails,
    /// What the platform caps.
    pub limits: Limits,
    /// External ID and metadata, which are the platform's too.
    pub labels: Labels,
    /// Since when its credentials are refused.
    pub suspended_at: Option<DateTime<Utc>>,
    /// When it was deleted; it is erased [`TENANT_RESTORABLE_DAYS`] later.
    pub deleted_at: Option<DateTime<Utc>>,
    /// Since when it can only be read, because it moves to another database. A state of the place and not of the tenant: no version
    /// counts it, so that the tenant is the same here and there.
    pub frozen_at: Option<DateTime<Utc>>,
    /// Counts the visible changes, from 1.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// For how many days a deleted tenant can be restored.
pub const TENANT_RESTORABLE_DAYS: i32 = 30;

/// Whether a tenant is active, suspended or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantState {
    /// They are.
    Active,
    /// They are refused until the tenant is reactivated.
    Suspended,
    /// They are refused, and the tenant will be erased.
    Deleted,
}

impl Choice for TenantState {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Active, "active"), (Self::Suspended, "suspended"), (Self::Deleted, "deleted")];
    const MEANING: &'static str = "Whether a tenant is active, suspended or deleted.";
}
crate::values::choices!(TenantState);

impl Tenant {
    /// Whether its credentials are good.
    pub fn state(&self) -> TenantState {
        match self {
            Self { deleted_at: Some(_), .. } => TenantState::Deleted,
            Self { suspended_at: Some(_), .. } => TenantState::Suspended,
            _ => TenantState::Active,
        }
    }

    /// The fields as the audit log names them, with those that are the platform's to change.
    pub fn fields(&self) -> Fields {
        let fields = self
            .details
            .fields()
            .with("maxWorkspaces", self.limits.max_workspaces.map(Cap::get))
            .with("maxMembers", self.limits.max_members.map(Cap::get))
            .with("maxAgents", self.limits.max_agents.map(Cap::get))
            .with("maxMinutes", self.limits.max_minutes.map(Cap::get))
            .with("maxPendingInvitations", self.limits.max_pending_invitations.map(Cap::get))
            .with("maxEmailsPerDay", self.limits.max_emails_per_day.map(Cap::get))
            .with("maxEmailsPerRecipient", self.limits.max_emails_per_recipient.map(Cap::get))
            .with("requestsPerSecond", self.limits.requests_per_second.map(Requests::get))
            .with("requestBurst", self.limits.request_burst.map(Requests::get))
            .with("state", self.state().as_str())
            .with("frozenAt", self.frozen_at.map(|at| at.to_rfc3339()));
        self.labels.add_to(fields)
    }
}

/// How many of something there may be: 0 to 1,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cap(u32);

impl Cap {
    /// The largest.
    pub const MAX: u32 = 1_000_000;

    /// This number, or the largest if it is larger.
    pub const fn of(number: u32) -> Self {
        if number < Self::MAX { Self(number) } else { Self(Self::MAX) }
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for Cap {
    type Error = Refusal;

    fn try_from(number: i64) -> Result<Self, Refusal> {
        match u32::try_from(number) {
            Ok(number @ 0..=Self::MAX) => Ok(Self(number)),
            _ => Err(Refusal::new("out_of_range", format!("must be a number from 0 to {}, not {number}", Self::MAX))),
        }
    }
}

input!(Cap, i64, Description::number(format!("0 to {}.", thousands(Self::MAX)), 0, i64::from(Self::MAX)));

/// What a tenant may have at most; `None` is unlimited. A cap below current usage removes nothing; it only
/// blocks additions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Workspaces in the tenant, without those that are deleted.
    pub max_workspaces: Option<Cap>,
    /// Members assigned to each workspace, with those that are invited to it.
    pub max_members: Option<Cap>,
    /// AI agents in each workspace.
    pub max_agents: Option<Cap>,
    /// Minutes of usage in each workspace in a month.
    pub max_minutes: Option<Cap>,
    /// Pending invitations in the tenant. This and the next two are of [`MailLimits`](crate::MailLimits): `None` is the service's.
    pub max_pending_invitations: Option<Cap>,
    /// Emails that the tenant may cause in a day.
    pub max_emails_per_day: Option<Cap>,
    /// Emails that the tenant may cause in a day to one recipient.
    pub max_emails_per_recipient: Option<Cap>,
    /// Requests in a second, by all credentials together.
    pub requests_per_second: Option<Requests>,
    /// Requests at once, where there is a limit in a second; `None` is as many as in a second.
    pub request_burst: Option<Requests>,
}

/// A change to limits: what is `None` stays, `Some(None)` takes a cap off.
#[derive(Debug, Clone, Copy, Default)]
pub struct LimitsPatch {
    /// See [`Limits::max_workspaces`].
    pub max_workspaces: Option<Option<Cap>>,
    /// See [`Limits::max_members`].
    pub max_members: Option<Option<Cap>>,
    /// See [`Limits::max_agents`].
    pub max_agents: Option<Option<Cap>>,
    /// See [`Limits::max_minutes`].
    pub max_minutes: Option<Option<Cap>>,
    /// See [`Limits::max_pending_invitations`].
    pub max_pending_invitations: Option<Option<Cap>>,
    /// See [`Limits::max_emails_per_day`].
    pub max_emails_per_day: Option<Option<Cap>>,
    /// See [`Limits::max_emails_per_recipient`].
    pub max_emails_per_recipient: Option<Option<Cap>>,
    /// See [`Limits::requests_per_second`].
    pub requests_per_second: Option<Option<Requests>>,
    /// See [`Limits::request_burst`].
    pub request_burst: Option<Option<Requests>>,
}

impl Limits {
    /// These limits with the change applied.
    #[must_use]
    pub fn patched(self, patch: LimitsPatch) -> Self {
        Self {
            max_workspaces: patch.max_workspaces.unwrap_or(self.max_workspaces),
            max_members: patch.max_members.unwrap_or(self.max_members),
            max_agents: patch.max_agents.unwrap_or(self.max_agents),
            max_minutes: patch.max_minutes.unwrap_or(self.max_minutes),
            max_pending_invitations: patch.max_pending_invitations.unwrap_or(self.max_pending_invitations),
            max_emails_per_day: patch.max_emails_per_day.unwrap_or(self.max_emails_per_day),
            max_emails_per_recipient: patch.max_emails_per_recipient.unwrap_or(self.max_emails_per_recipient),
            requests_per_second: patch.requests_per_second.unwrap_or(self.requests_per_second),
            request_burst: patch.request_burst.unwrap_or(self.request_burst),
        }
    }

    /// How many requests the tenant may send.
    pub fn request_rate(self) -> Option<RequestRate> {
        let per_second = self.requests_per_second?;
        Some(RequestRate { per_second, burst: self.request_burst.unwrap_or(per_second) })
    }
}

/// The refusal of one more `what` where `whose` may have `cap` of them and has as many or more.
pub fn limit_reached(whose: &str, what: Noun, cap: Cap, used: i64) -> Error {
    let limit = counted(cap.get(), &what.lower_case());
    let also = if what == Noun::Member { ", including pending invitations" } else { "" };
    let message = format!("{whose} has reached its limit of {limit}. It has {used}{also}.");
    Error::conflict(Conflict::LimitReached, message)
}

/// How much of its limits a tenant uses, and whom it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// Workspaces, not counting deleted ones.
    pub workspaces: i64,
    /// Members.
    pub members: i64,
    /// Pending invitations.
    pub pending_invitations: i64,
}

impl Identified for Tenant {
    const NOUN: Noun = Noun::Tenant;
}

impl SortKey for Tenant {
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

/// The part of a tenant that its owner may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantDetails {
    /// Display name.
    pub name: TenantName,
    /// What new workspaces get where the request says nothing.
    pub defaults: Locale,
}

/// Where and with whom a workspace works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locale {
    /// ISO 3166-1 alpha-2.
    pub country: CountryCode,
    /// ISO 639-1.
    pub language: LanguageCode,
    /// ISO 4217.
    pub currency: CurrencyCode,
    /// Business to business, or to consumers.
    pub workspace_type: WorkspaceType,
}

/// A [`Locale`] of which a request may have left out any part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LocaleRequest {
    /// See [`Locale::country`].
    pub country: Option<CountryCode>,
    /// See [`Locale::language`].
    pub language: Option<LanguageCode>,
    /// See [`Locale::currency`].
    pub currency: Option<CurrencyCode>,
    /// See [`Locale::workspace_type`].
    pub workspace_type: Option<WorkspaceType>,
}

impl LocaleRequest {
    /// Fills what is missing: language and currency follow a country that was named (CLDR, ISO 4217); where no country was
    /// named, all of it is the tenant's.
    ///
    /// # Errors
    ///
    /// The members that must be named because the country has no language or currency of its own in those lists.
    pub fn resolve(self, defaults: Option<&Locale>) -> Result<Locale, Vec<FieldRefusal>> {
        let workspace_type = self.workspace_type.or(defaults.map(|d| d.workspace_type)).unwrap_or(WorkspaceType::B2b);
        let (country, language, currency) = match (self.country, defaults) {
            (Some(country), _) => (country, country.main_language(), country.currency()),
            (None, Some(defaults)) => (defaults.country, Some(defaults.language), Some(defaults.currency)),
            (None, None) => return Err(vec![Refusal::new("required", "is required").of("country")]),
        };
        let none =
            |what: &str| Refusal::new("required", format!("is required, because {country} has no default {what}"));
        match (self.language.or(language), self.currency.or(currency)) {
            (Some(language), Some(currency)) => Ok(Locale { country, language, currency, workspace_type }),
            (language, currency) => Err([
                language.is_none().then(|| none("language").of("operatingLanguage")),
                currency.is_none().then(|| none("currency").of("currency")),
            ]
            .into_iter()
            .flatten()
            .collect()),
        }
    }
}

/// What is asked of a tenant that is to be created.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// Display name; the default brand takes it over.
    pub name: TenantName,
    /// The defaults; a country at least.
    pub locale: LocaleRequest,
    /// What it may have at most.
    pub limits: Limits,
    /// External ID and metadata.
    pub labels: Labels,
}

/// A change to what is the platform's at a tenant: an outer `None` stays, an inner one clears.
#[derive(Debug, Clone, Default)]
pub struct PlatformPatch {
    /// New limits.
    pub limits: LimitsPatch,
    /// What another system calls it.
    pub external_id: Option<Option<ExternalId>>,
    /// What changes in its metadata.
    pub metadata: Option<MetadataPatch>,
}

/// A change to a tenant: what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct TenantPatch {
    /// New display name.
    pub name: Option<TenantName>,
    /// New defaults; language and currency do not follow a new country.
    pub defaults: LocaleRequest,
}

impl TenantDetails {
    /// These details with the change applied.
    #[must_use]
    pub fn patched(&self, patch: &TenantPatch) -> Self {
        let now = self.defaults;
        Self {
            name: patch.name.clone().unwrap_or_else(|| self.name.clone()),
            defaults: Locale {
                country: patch.defaults.country.unwrap_or(now.country),
                language: patch.defaults.language.unwrap_or(now.language),
                currency: patch.defaults.currency.unwrap_or(now.currency),
                workspace_type: patch.defaults.workspace_type.unwrap_or(now.workspace_type),
            },
        }
    }

    /// The fields as the audit log names them.
    pub fn fields(&self) -> Fields {
        Fields::new()
            .with("name", self.name.as_str())
            .with("defaultCountry", self.defaults.country.as_str())
            .with("defaultOperatingLanguage", self.defaults.language.as_str())
            .with("defaultCurrency", self.defaults.currency.as_str())
            .with("defaultWorkspaceType", self.defaults.workspace_type.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acme() -> Locale {
        Locale {
            country: "DE".parse().unwrap(),
            language: "de".parse().unwrap(),
            currency: "EUR".parse().unwrap(),
            workspace_type: WorkspaceType::B2c,
        }
    }

    #[test]
    fn a_named_country_brings_its_language_and_currency_and_the_tenant_fills_the_rest() {
        let sweden = LocaleRequest { country: Some("SE".parse().unwrap()), ..Default::default() };
        let got = sweden.resolve(Some(&acme())).unwrap();
        assert_eq!(
            (got.language.as_str(), got.currency.as_str(), got.workspace_type),
            ("sv", "SEK", WorkspaceType::B2c)
        );
        assert_eq!(LocaleRequest::default().resolve(Some(&acme())), Ok(acme()));
        let explicit = LocaleRequest { language: Some("en".parse().unwrap()), ..sweden };
        assert_eq!(explicit.resolve(Some(&acme())).unwrap().language.as_str(), "en");
    }

    #[test]
    fn a_country_without_a_currency_asks_for_one() {
        let antarctica = LocaleRequest {
            country: Some("AQ".parse().unwrap()),
            language: Some("en".parse().unwrap()),
            ..Default::default()
        };
        let refused = antarctica.resolve(Some(&acme())).unwrap_err();
        assert_eq!(refused.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(), ["currency"]);
    }
}
