//! What the platform asks of tenants.

use tenantry_domain::{
    Cap, CountryCode, CurrencyCode, EmailAddress, Error, ExternalId, FieldRefusal, InvitationDays, Labels,
    LanguageCode, Limits, LimitsPatch, LocaleRequest, NewTenant, PlatformPatch, Refusal, Requests, Sort, TenantName,
    TenantPatch, TenantState, WorkspaceType,
};
use tenantry_operations::{TenantFilter, tenants::Owner};

use crate::extract::{
    ChangedMetadata, Clearable, Filters, MatchedMetadata, NewMetadata, Nullable, Optional, OptionalAs, Required, query,
    request,
};

request! {
    /// A tenant to create. If you leave out language or currency, it follows the country.
    #[example({
        "name": "Acme Industrial Supply",
        "country": "DE",
        "maxWorkspaces": 25,
        "externalId": "crm-4712",
        "metadata": { "tier": "gold" },
    })]
    pub(crate) struct CreateTenant {
        /// Display name. The default brand gets the same name.
        name: Required<TenantName>,
        country: Required<CountryCode>,
        /// Default: the country's main language.
        operating_language: Optional<LanguageCode>,
        /// Default: the country's currency.
        currency: Optional<CurrencyCode>,
        /// Default: `b2b`.
        workspace_type: Optional<WorkspaceType>,
        /// How many workspaces the tenant may have. Default: no limit.
        max_workspaces: Nullable<Cap>,
        /// How many members each workspace may have; pending invitations count. Default: no limit.
        max_members: Nullable<Cap>,
        /// How many agents each workspace may have. Default: no limit.
        max_agents: Nullable<Cap>,
        /// How many minutes each workspace may use in a month. Default: no limit.
        max_minutes: Nullable<Cap>,
        /// How many pending invitations the tenant may have. Default: the service's.
        max_pending_invitations: Nullable<Cap>,
        /// How many emails the tenant may send in 24 hours. Default: the service's.
        max_emails_per_day: Nullable<Cap>,
        /// How many emails the tenant may send to one address in 24 hours. Default: the service's.
        max_emails_per_recipient: Nullable<Cap>,
        /// How many requests all credentials of the tenant together may send in a second to each replica. Default: no limit.
        requests_per_second: Nullable<Requests>,
        /// How many of them at once. Default: as many as in a second.
        request_burst: Nullable<Requests>,
        /// The tenant's ID in another system, unique among all tenants.
        external_id: Nullable<ExternalId>,
        /// Your own notes about the tenant. The tenant sees them.
        metadata: NewMetadata,
        /// Invites the first owner at this address. Default: the answer has an API key for the owner instead.
        owner_email: Optional<EmailAddress>,
        /// With `ownerEmail`: for how many days the invitation can be accepted. Default: 7.
        invitation_days: Optional<InvitationDays>,
    }
}

impl CreateTenant {
    pub(super) fn into_domain(self) -> Result<(NewTenant, Owner), FieldRefusal> {
        let locale = LocaleRequest {
            country: Some(self.country),
            language: self.operating_language,
            currency: self.currency,
            workspace_type: self.workspace_type,
        };
        let limits = Limits {
            max_workspaces: self.max_workspaces,
            max_members: self.max_members,
            max_agents: self.max_agents,
            max_minutes: self.max_minutes,
            max_pending_invitations: self.max_pending_invitations,
            max_emails_per_day: self.max_emails_per_day,
            max_emails_per_recipient: self.max_emails_per_recipient,
            requests_per_second: self.requests_per_second,
            request_burst: self.request_burst,
        };
        let labels = Labels { external_id: self.external_id, metadata: self.metadata };
        Ok((NewTenant { name: self.name, locale, limits, labels }, owner(self.owner_email, self.invitation_days)?))
    }
}

fn owner(email: Option<EmailAddress>, days: Option<InvitationDays>) -> Result<Owner, FieldRefusal> {
    match (email, days) {
        (Some(email), days) => Ok(Owner::Invitation(email, days.unwrap_or_default())),
        (None, None) => Ok(Owner::Key),
        (None, Some(_)) => Err(Refusal::new("required", "is required when invitationDays is given").of("ownerEmail")),
    }
}

request! {
    /// A tenant to create or to change. Fields you leave out keep their value, or are as in a new tenant.
    #[example({ "name": "Acme Industrial Supply", "country": "DE", "metadata": { "tier": "gold" } })]
    pub(crate) struct PutTenant {
        /// Display name. The default brand of a new tenant gets the same name.
        name: Required<TenantName>,
        /// The country of new workspaces.
        country: Required<CountryCode>,
        /// The language of new workspaces. Default for a new tenant: the country's main language.
        operating_language: Optional<LanguageCode>,
        /// The currency of new workspaces. Default for a new tenant: the country's currency.
        currency: Optional<CurrencyCode>,
        /// The type of new workspaces. Default for a new tenant: `b2b`.
        workspace_type: Optional<WorkspaceType>,
        /// How many workspaces the tenant may have.
        max_workspaces: Clearable<Cap>,
        /// How many members each workspace may have; pending invitations count.
        max_members: Clearable<Cap>,
        /// How many agents each workspace may have.
        max_agents: Clearable<Cap>,
        /// How many minutes each workspace may use in a month.
        max_minutes: Clearable<Cap>,
        /// How many pending invitations the tenant may have. `null`: the service's default.
        max_pending_invitations: Clearable<Cap>,
        /// How many emails the tenant may send in 24 hours. `null`: the service's default.
        max_emails_per_day: Clearable<Cap>,
        /// How many emails the tenant may send to one address in 24 hours. `null`: the service's default.
        max_emails_per_recipient: Clearable<Cap>,
        /// How many requests all credentials of the tenant together may send in a second to each replica.
        requests_per_second: Clearable<Requests>,
        /// How many of them at once. `null` is as many as in a second.
        request_burst: Clearable<Requests>,
        /// Your own notes about the tenant. What you leave out stays. The tenant sees them.
        metadata: ChangedMetadata,
        /// Only for a new tenant: invites the first owner at this address. Default: the answer has an API key instead.
        owner_email: Optional<EmailAddress>,
        /// With `ownerEmail`: for how many days the invitation can be accepted. Default: 7.
        invitation_days: Optional<InvitationDays>,
    }
}

/// What is asked of a tenant if it is new, and if it is not.
pub(super) type New = (NewTenant, Owner);
pub(super) type Change = (TenantPatch, PlatformPatch);

impl PutTenant {
    pub(super) fn into_domain(self, external_id: ExternalId) -> Result<(New, Change), Error> {
        let locale = LocaleRequest {
            country: Some(self.country),
            language: self.operating_language,
            currency: self.currency,
            workspace_type: self.workspace_type,
        };
        let limits = LimitsPatch {
            max_workspaces: self.max_workspaces,
            max_members: self.max_members,
            max_agents: self.max_agents,
            max_minutes: self.max_minutes,
            max_pending_invitations: self.max_pending_invitations,
            max_emails_per_day: self.max_emails_per_day,
            max_emails_per_recipient: self.max_emails_per_recipient,
            requests_per_second: self.requests_per_second,
            request_burst: self.request_burst,
        };
        let platform = PlatformPatch { limits, external_id: Some(Some(external_id)), metadata: self.metadata };
        let new = NewTenant {
            name: self.name.clone(),
            locale,
            limits: Limits::default().patched(limits),
            labels: Labels::default().patched(&platform.external_id, &platform.metadata)?,
        };
        let owner = owner(self.owner_email, self.invitation_days).map_err(Error::invalid)?;
        Ok(((new, owner), (TenantPatch { name: Some(self.name), defaults: locale }, platform)))
    }
}

request! {
    /// A change to a tenant, as a JSON merge patch (RFC 7396): fields you leave out keep their value, and `null`
    /// removes a limit. Existing workspaces do not change.
    #[example({ "maxWorkspaces": 50, "maxMembers": null })]
    pub(crate) struct UpdatePlatformTenant {
        /// Display name.
        name: Optional<TenantName>,
        /// The country of new workspaces.
        default_country: Optional<CountryCode>,
        /// The language of new workspaces.
        default_operating_language: Optional<LanguageCode>,
        /// The currency of new workspaces.
        default_currency: Optional<CurrencyCode>,
        /// The type of new workspaces.
        default_workspace_type: Optional<WorkspaceType>,
        /// How many workspaces the tenant may have.
        max_workspaces: Clearable<Cap>,
        /// How many members each workspace may have; pending invitations count.
        max_members: Clearable<Cap>,
        /// How many agents each workspace may have.
        max_agents: Clearable<Cap>,
        /// How many minutes each workspace may use in a month.
        max_minutes: Clearable<Cap>,
        /// How many pending invitations the tenant may have. `null`: the service's default.
        max_pending_invitations: Clearable<Cap>,
        /// How many emails the tenant may send in 24 hours. `null`: the service's default.
        max_emails_per_day: Clearable<Cap>,
        /// How many emails the tenant may send to one address in 24 hours. `null`: the service's default.
        max_emails_per_recipient: Clearable<Cap>,
        /// How many requests all credentials of the tenant together may send in a second to each replica.
        requests_per_second: Clearable<Requests>,
        /// How many of them at once. `null` is as many as in a second.
        request_burst: Clearable<Requests>,
        /// The tenant's ID in another system, unique among all tenants.
        external_id: Clearable<ExternalId>,
        /// Your own notes about the tenant. What you leave out stays. The tenant sees them.
        metadata: ChangedMetadata,
    }
}

impl UpdatePlatformTenant {
    pub(super) fn into_domain(self) -> Change {
        let defaults = LocaleRequest {
            country: self.default_country,
            language: self.default_operating_language,
            currency: self.default_currency,
            workspace_type: self.default_workspace_type,
        };
        let limits = LimitsPatch {
            max_workspaces: self.max_workspaces,
            max_members: self.max_members,
            max_agents: self.max_agents,
            max_minutes: self.max_minutes,
            max_pending_invitations: self.max_pending_invitations,
            max_emails_per_day: self.max_emails_per_day,
            max_emails_per_recipient: self.max_emails_per_recipient,
            requests_per_second: self.requests_per_second,
            request_burst: self.request_burst,
        };
        let platform = PlatformPatch { limits, external_id: self.external_id, metadata: self.metadata };
        (TenantPatch { name: self.name, defaults }, platform)
    }
}

query! {
    /// Which tenants.
    pub(crate) struct TenantFilters => TenantFilter {
        /// Only tenants in this state.
        state: Optional<TenantState>,
        /// Only tenants with this external ID. Deleted tenants keep theirs.
        external_id: Optional<ExternalId>,
        /// Only tenants with this metadata: one parameter for each entry, such as `metadata.tier=gold`.
        metadata: MatchedMetadata,
        /// Only tenants whose name contains this text, in upper or lower case, with or without accents.
        search as "q": OptionalAs<TenantName, String>,
    }
}

impl Filters for TenantFilters {
    type Sort = Sort;
}
