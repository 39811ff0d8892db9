//! Integrations of a workspace, their secrets as sealed as they came.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{dsl::now, prelude::*};
use tenantry_domain::{
    ApiKeySid, Error, FieldRefusal, InTenant, InWorkspace, Integration, MasterKeyId, Noun, PlainField, Provider,
    SealedSecret, SecretTrace, TenantId, TwilioRegion, Verification, VerificationStatus, WorkspaceId,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored, stored_option},
    places::{FoundWorkspace, TenantPlace},
    schema::{integrations, tenants},
    scope::TenantScope,
    transfer::{NO_WORKSPACE, refusal},
    tx::{Tx, WriteTx},
};

#[derive(Clone, HasQuery)]
#[diesel(table_name = integrations)]
pub(crate) struct Row {
    tenant_id: Uuid,
    workspace_id: Uuid,
    provider: String,
    plain: Option<String>,
    sealed_secret: Option<Vec<u8>>,
    last_four: Option<String>,
    secret_set_at: Option<DateTime<Utc>>,
    verification_status: String,
    verified_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
    version: i64,
    updated_at: DateTime<Utc>,
    limited: bool,
    api_key_sid: Option<String>,
    twilio_region: Option<String>,
    renewable: bool,
}

/// An integration with its sealed secret.
#[derive(Debug, Clone)]
pub struct StoredIntegration {
    /// The integration.
    pub integration: Integration,
    /// Its secret; there exactly when [`Integration::secret`] is.
    pub sealed: Option<SealedSecret>,
}

/// A secret that is to be stored, with what may be known of it.
#[derive(Debug, Clone)]
pub struct NewSealed {
    /// The secret.
    pub sealed: SealedSecret,
    /// The key it is sealed under.
    pub key: MasterKeyId,
    /// See [`SecretTrace::last_four`].
    pub last_four: Option<String>,
    /// See [`SecretTrace::renewable`].
    pub renewable: bool,
}

impl Row {
    pub(crate) fn into_stored(self) -> Result<StoredIntegration, Fault> {
        let provider: Provider = stored("integrations.provider", &self.provider)?;
        let plain = self.plain.map(|raw| PlainField::parse(provider, &raw)).transpose().map_err(|refusal| {
            Error::internal(format!("integrations.plain holds a value of {provider} that {refusal}"))
        })?;
        // The program of before knows no word for it.
        let status = match stored("integrations.verification_status", &self.verification_status)? {
            VerificationStatus::Ok if self.limited => VerificationStatus::Limited,
            status => status,
        };
        let trace = |set_at| SecretTrace { last_four: self.last_four.clone(), set_at, renewable: self.renewable };
        let integration = Integration {
            tenant_id: TenantId::from_uuid(self.tenant_id),
            workspace_id: WorkspaceId::from_uuid(self.workspace_id),
            provider,
            plain,
            api_key_sid: stored_option("integrations.api_key_sid", self.api_key_sid)?,
            twilio_region: stored_option("integrations.twilio_region", self.twilio_region)?,
            secret: self.secret_set_at.map(trace),
            verification: Verification { status, verified_at: self.verified_at, last_error: self.last_error },
            version: self.version,
            updated_at: (self.version > 0).then_some(self.updated_at),
        };
        Ok(StoredIntegration { integration, sealed: self.sealed_secret.map(SealedSecret::from_bytes) })
    }
}

/// Without their secrets.
pub(crate) fn made(rows: Vec<Row>) -> Result<Vec<Integration>, Fault> {
    rows.into_iter().map(|row| Ok(row.into_stored()?.integration)).collect()
}

impl Tx<'_, InWorkspace> {
    /// The integrations that were ever made, at most one for each provider.
    pub fn integrations(&mut self) -> Result<Vec<Integration>, Fault> {
        let rows: Vec<Row> = Row::query()
            .filter(integrations::tenant_id.eq(self.found.tenant.uuid()))
            .filter(integrations::workspace_id.eq(self.found.id.uuid()))
            .limit(i64::from(u8::MAX))
            .load(self.connection)?;
        made(rows)
    }

    /// The integration with this provider, be it made or not.
    pub fn integration(&mut self, provider: Provider) -> Result<StoredIntegration, Fault> {
        let row = Row::query().filter(this(self.found, provider)).first::<Row>(self.connection).optional()?;
        match row {
            Some(row) => row.into_stored(),
            None => {
                let integration = Integration::never_made(self.found.tenant, self.found.id, provider);
                Ok(StoredIntegration { integration, sealed: None })
            }
        }
    }
}

impl WriteTx<'_, InWorkspace> {
    /// The integration with this provider, be it made or not, locked until the end of the transaction.
    pub fn lock_integration(&mut self, provider: Provider) -> Result<StoredIntegration, Fault> {
        // What is not there cannot be locked: an empty one is, and goes with the transaction if that fails.
        diesel::insert_into(integrations::table)
            .values((
                integrations::tenant_id.eq(self.found.tenant.uuid()),
                integrations::workspace_id.eq(self.found.id.uuid()),
                integrations::provider.eq(provider.as_str()),
            ))
            .on_conflict_do_nothing()
            .execute(self.connection)
            // The workspace was there a moment ago.
            .map_err(|error| {
                Fault::unless_violated(error, "integrations_workspace_fkey", || Error::NotFound(Noun::Workspace))
            })?;
        Row::query().filter(this(self.found, provider)).for_no_key_update().first::<Row>(self.connection)?.into_stored()
    }

    /// Stores fields: those that are no secret, and the secret unless that stays as it is. What the provider said of the old ones is forgotten.
    pub fn update_integration(
        &mut self,
        provider: Provider,
        (plain, api_key_sid, twilio_region): (Option<&PlainField>, Option<&ApiKeySid>, Option<TwilioRegion>),
        secret: Option<Option<&NewSealed>>,
    ) -> Result<Integration, Fault> {
        if let Some(secret) = secret {
            self.store_secret(provider, secret)?;
        }
        diesel::update(integrations::table.filter(this(self.found, provider)))
            .set((
                integrations::plain.eq(plain.map(PlainField::as_str)),
                integrations::api_key_sid.eq(api_key_sid.map(ApiKeySid::as_str)),
                integrations::twilio_region.eq(twilio_region.map(TwilioRegion::as_str)),
                Verdict::of(&Verification::default()),
                integrations::version.eq(integrations::version + 1),
                integrations::updated_at.eq(now),
            ))
            .returning(Row::as_returning())
            .get_result(self.connection)?
            .into_stored()
            .map(|stored| stored.integration)
    }

    fn store_secret(&mut self, provider: Provider, secret: Option<&NewSealed>) -> Result<(), Fault> {
        diesel::update(integrations::table.filter(this(self.found, provider)))
            .set((
                integrations::sealed_secret.eq(secret.map(|new| new.sealed.as_bytes())),
                integrations::key_version.eq(secret.map(|new| i32::from(new.key.version()))),
                integrations::last_four.eq(secret.and_then(|new| new.last_four.as_deref())),
                integrations::secret_set_at.eq(secret.map(|_| self.clock()).transpose()?),
                integrations::renewable.eq(secret.is_some_and(|new| new.renewable)),
                integrations::renewing_until.eq(None::<DateTime<Utc>>),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Stores a secret that was renewed. What the provider said of the fields still holds.
    pub fn store_renewed(&mut self, provider: Provider, secret: &NewSealed) -> Result<Integration, Fault> {
        self.store_secret(provider, Some(secret))?;
        diesel::update(integrations::table.filter(this(self.found, provider)))
            .set((integrations::version.eq(integrations::version + 1), integrations::updated_at.eq(now)))
            .returning(Row::as_returning())
            .get_result(self.connection)?
            .into_stored()
            .map(|stored| stored.integration)
    }

    /// Lets nobody else renew the secret for half a minute. `false` while somebody else does.
    pub fn begin_renewal(&mut self, provider: Provider) -> Result<bool, Fault> {
        let clock = self.clock()?;
        let free = integrations::renewing_until.is_null().or(integrations::renewing_until.lt(clock));
        let begun = diesel::update(integrations::table.filter(this(self.found, provider)).filter(free))
            .set(integrations::renewing_until.eq(clock + TimeDelta::seconds(30)))
            .execute(self.connection)?;
        Ok(begun > 0)
    }

    /// Lets others renew the secret.
    pub fn end_renewal(&mut self, provider: Provider) -> Result<(), Fault> {
        diesel::update(integrations::table.filter(this(self.found, provider)))
            .set(integrations::renewing_until.eq(None::<DateTime<Utc>>))
            .execute(self.connection)?;
        Ok(())
    }

    /// Stores what the provider said.
    pub fn store_verification(
        &mut self,
        provider: Provider,
        verification: &Verification,
    ) -> Result<Integration, Fault> {
        diesel::update(integrations::table.filter(this(self.found, provider)))
            .set((
                Verdict::of(verification),
                integrations::version.eq(integrations::version + 1),
                integrations::updated_at.eq(now),
            ))
            .returning(Row::as_returning())
            .get_result(self.connection)?
            .into_stored()
            .map(|stored| stored.integration)
    }
}

#[derive(AsChangeset, Insertable)]
#[diesel(table_name = integrations, treat_none_as_null = true)]
struct Verdict<'a> {
    verification_status: &'a str,
    verified_at: Option<DateTime<Utc>>,
    last_error: Option<&'a str>,
    limited: bool,
}

impl<'a> Verdict<'a> {
    fn of(verification: &'a Verification) -> Self {
        let limited = verification.status == VerificationStatus::Limited;
        let status = if limited { VerificationStatus::Ok } else { verification.status };
        Self {
            verification_status: status.as_str(),
            verified_at: verification.verified_at,
            last_error: verification.last_error.as_deref(),
            limited,
        }
    }
}

impl<P: TenantPlace> WriteTx<'_, P> {
    /// Notes at the tenant that something of it is sealed under this key, and locks the tenant until the end of the transaction, so
    /// that nobody takes the note away meanwhile.
    ///
    /// # Errors
    ///
    /// `Internal` where another key of the same version is noted: then one of the two replicas has a wrong key.
    pub fn note_master_key(&mut self, key: &MasterKeyId) -> Result<(), Fault> {
        let _tenant = self.tenant_id();
        self.scope().lock_tenant()?;
        let mut noted = self.scope().noted_master_keys()?;
        if noted.contains(key) {
            return Ok(());
        }
        if noted.iter().any(|other| other.version() == key.version()) {
            return Err(Error::internal(format!(
                "the master key of version {} is not the one that encrypted the tenant's secrets",
                key.version()
            ))
            .into());
        }
        noted.push(key.clone());
        self.scope().note_master_keys(&noted)
    }
}

impl Tx<'_, InTenant> {
    /// The integrations of these workspaces that were ever made, also of deleted ones.
    pub fn integrations_of(&mut self, workspaces: &[WorkspaceId]) -> Result<Vec<StoredIntegration>, Fault> {
        let ids: Vec<Uuid> = workspaces.iter().map(|id| id.uuid()).collect();
        let rows = Row::query()
            .filter(integrations::tenant_id.eq(self.found.uuid()).and(integrations::workspace_id.eq_any(ids)))
            .filter(integrations::version.gt(0))
            .order((integrations::workspace_id, integrations::provider))
            .load::<Row>(self.connection)?;
        rows.into_iter().map(Row::into_stored).collect()
    }
}

impl WriteTx<'_, InTenant> {
    /// Stores integrations as they were elsewhere, with their secrets if those came along. The keys of the secrets are noted already.
    pub fn import_integrations(
        &mut self,
        integrations: &[&(Integration, Option<NewSealed>)],
    ) -> Result<Option<FieldRefusal>, Fault> {
        let rows = integrations.iter().map(|(integration, secret)| {
            let secret = secret.as_ref();
            (
                integrations::tenant_id.eq(self.found.uuid()),
                integrations::workspace_id.eq(integration.workspace_id.uuid()),
                integrations::provider.eq(integration.provider.as_str()),
                integrations::plain.eq(integration.plain.as_ref().map(PlainField::as_str)),
                integrations::api_key_sid.eq(integration.api_key_sid.as_ref().map(ApiKeySid::as_str)),
                integrations::twilio_region.eq(integration.twilio_region.map(TwilioRegion::as_str)),
                (
                    integrations::sealed_secret.eq(secret.map(|new| new.sealed.as_bytes())),
                    integrations::key_version.eq(secret.map(|new| i32::from(new.key.version()))),
                    integrations::last_four.eq(secret.and_then(|new| new.last_four.as_deref())),
                    integrations::secret_set_at.eq(integration.secret.as_ref().map(|secret| secret.set_at)),
                    integrations::renewable.eq(secret.is_some_and(|new| new.renewable)),
                ),
                Verdict::of(&integration.verification),
                integrations::version.eq(integration.version),
                integration.updated_at.map(|at| integrations::updated_at.eq(at)),
            )
        });
        let rows: Vec<_> = rows.collect();
        let stored = diesel::insert_into(integrations::table).values(rows).execute(self.connection);
        refusal(
            stored,
            &[
                ("integrations_pkey", "provider", "is the provider of an earlier integration of the workspace"),
                ("integrations_workspace_fkey", "workspaceId", NO_WORKSPACE),
            ],
        )
    }
}

impl TenantScope<'_> {
    /// The keys that are noted at a tenant.
    pub(crate) fn noted_master_keys(&mut self) -> Result<Vec<MasterKeyId>, Fault> {
        let keys: Vec<String> = tenants::table
            .filter(tenants::id.eq(self.tenant.uuid()))
            .select(tenants::sealed_under)
            .first(self.connection)?;
        keys.iter().map(|key| stored("tenants.sealed_under", key)).collect()
    }

    /// Notes these keys at a tenant, and no others.
    pub(crate) fn note_master_keys(&mut self, keys: &[MasterKeyId]) -> Result<(), Fault> {
        let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
        diesel::update(tenants::table.filter(tenants::id.eq(self.tenant.uuid())))
            .set(tenants::sealed_under.eq(keys))
            .execute(self.connection)?;
        Ok(())
    }
}

/// The one row of a place and a provider.
#[diesel::dsl::auto_type]
fn this(found: FoundWorkspace, provider: Provider) -> _ {
    let (tenant, workspace): (Uuid, Uuid) = (found.tenant.uuid(), found.id.uuid());
    let provider: &'static str = provider.as_str();
    integrations::tenant_id
        .eq(tenant)
        .and(integrations::workspace_id.eq(workspace))
        .and(integrations::provider.eq(provider))
}
