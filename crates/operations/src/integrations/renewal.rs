//! Access tokens that end: renewed with their refresh token, which is good for one use.
//!
//! Whoever renews one says so in the database first, so that no other replica uses the same refresh token, and what the provider
//! gives for it is stored before it is used.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_auth::seal::{MasterKeys, SealContext};
use tenantry_domain::{
    Action, Change, Credential, Error, Holder, InWorkspace, Integration, Origin, PlainSecret, TenantId, Verification,
    VerificationStatus, WorkspaceId,
};
use tenantry_persistence::{Store, StoredIntegration};
use tokio::time::{Instant, sleep};

use super::{context, seal, unseal};
use crate::{
    insist::insist,
    providers::{Failure, OpenedFields, Providers, not_renewed},
};

const JOB: &str = "renew access tokens";

/// So long before its end a token is not used any more: the provider's clock may be ahead.
const BEFORE_ITS_END: TimeDelta = TimeDelta::minutes(1);

/// A token that is younger has not ended. If the provider refuses it, that is for another reason.
const YOUNG: TimeDelta = TimeDelta::minutes(10);

/// How often somebody looks who waits for another one's renewal.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A connected integration and its opened fields.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) integration: Integration,
    pub(crate) fields: OpenedFields,
}

/// What a renewal needs.
#[derive(Clone)]
pub(crate) struct Renewing {
    store: Store,
    keys: MasterKeys,
    providers: Providers,
    /// Of the request that needs the token.
    origin: Origin,
    now: DateTime<Utc>,
}

enum Begun {
    /// Nobody else renews it.
    Mine,
    /// Somebody else does.
    Theirs,
    /// Somebody else has, or has set another.
    Over(Box<Opened>),
}

impl Renewing {
    /// For a request with this credential.
    pub(crate) fn of(
        store: &Store,
        keys: &MasterKeys,
        providers: &Providers,
        credential: &Credential,
        now: DateTime<Utc>,
    ) -> Self {
        let origin = credential.origin.clone();
        Self { store: store.clone(), keys: keys.clone(), providers: providers.clone(), origin, now }
    }

    /// Asks a provider something with the fields of an integration, with an access token that has not ended: it is renewed before if its
    /// end is known, and else when the provider refuses it.
    ///
    /// # Errors
    ///
    /// Those of the renewal: `Upstream` for a provider that does not renew the token or does not answer.
    pub(crate) async fn ask<T>(
        &self,
        mut opened: Opened,
        ask: impl AsyncFn(&Opened) -> T,
        refused: impl Fn(&T) -> bool,
    ) -> Result<(Opened, T), Error> {
        let ends_at = opened.fields.secret.renewal().map(|renewal| renewal.ends_at());
        if ends_at.flatten().is_some_and(|ends_at| ends_at <= self.now + BEFORE_ITS_END) {
            opened = self.renew(opened).await?;
        }
        let answer = ask(&opened).await;
        let set_at = opened.integration.secret.as_ref().map(|secret| secret.set_at);
        if ends_at.is_none() || set_at.is_none_or(|set_at| set_at + YOUNG > self.now) || !refused(&answer) {
            return Ok((opened, answer));
        }
        let opened = self.renew(opened).await?;
        let answer = ask(&opened).await;
        Ok((opened, answer))
    }

    async fn renew(&self, opened: Opened) -> Result<Opened, Error> {
        let provider = opened.integration.provider;
        if opened.integration.verification.status == VerificationStatus::Failed {
            // It was refused before, and nobody has set another since.
            return Err(Failure::NotRenewed.of(provider));
        }
        // Goes on if the caller goes away: a refresh token that was used is worth nothing, and its successor must be stored.
        let renewed = tokio::spawn(self.clone().renew_to_the_end(opened)).await;
        match renewed {
            // What needs no renewal can still be read. This cannot, until the tenant is where it moves to.
            Ok(Err(Error::TenantFrozen)) => Err(Failure::Unavailable { retry_after: None }.of(provider)),
            Ok(renewed) => renewed,
            Err(_) => Err(Error::internal("the renewal of an access token ended early")),
        }
    }

    async fn renew_to_the_end(self, opened: Opened) -> Result<Opened, Error> {
        let until = Instant::now() + self.providers.patience();
        loop {
            match self.begin(&opened).await? {
                Begun::Over(opened) => return Ok(*opened),
                Begun::Theirs if Instant::now() < until => sleep(LOOK_AGAIN).await,
                Begun::Theirs => return Err(Failure::Unavailable { retry_after: None }.of(opened.integration.provider)),
                Begun::Mine => {
                    let place = (opened.integration.tenant_id, opened.integration.workspace_id);
                    match self.providers.renew(place, &opened.fields.secret, self.now).await {
                        // If it was replaced meanwhile, that is found at the next turn.
                        Ok(secret) => insist(|| self.store_renewed(&opened, secret.clone())).await?,
                        Err(failure) => {
                            insist(|| self.give_up(&opened, failure)).await?;
                            return Err(failure.of(opened.integration.provider));
                        }
                    }
                }
            }
        }
    }

    async fn begin(&self, opened: &Opened) -> Result<Begun, Error> {
        let (asked, keys) = (opened.integration.clone(), self.keys.clone());
        self.store
            .write(
                &self.job(asked.tenant_id),
                InWorkspace::Id(asked.workspace_id),
                Action::IntegrationRenew,
                move |tx| {
                    let stored = tx.lock_integration(asked.provider)?;
                    if stored.integration.secret != asked.secret {
                        let fields = unseal(&keys, &stored)?.ok_or_else(|| super::incomplete(&stored.integration))?;
                        let StoredIntegration { integration, .. } = stored;
                        return Ok(Change::nothing(Begun::Over(Box::new(Opened { integration, fields }))));
                    }
                    let mine = tx.begin_renewal(asked.provider)?;
                    Ok(Change::bookkeeping(if mine { Begun::Mine } else { Begun::Theirs }))
                },
            )
            .await
    }

    async fn store_renewed(&self, opened: &Opened, secret: PlainSecret) -> Result<(), Error> {
        let (asked, keys) = (opened.integration.clone(), self.keys.clone());
        let workspace: WorkspaceId = asked.workspace_id;
        self.store
            .write(&self.job(asked.tenant_id), InWorkspace::Id(workspace), Action::IntegrationRenew, move |tx| {
                tx.note_master_key(keys.sealing())?;
                let before = tx.lock_integration(asked.provider)?.integration;
                if before.secret != asked.secret {
                    return Ok(Change::nothing(()));
                }
                let context = SealContext { set_at: tx.clock()?, ..context(&before) };
                let after = tx.store_renewed(asked.provider, &seal(&keys, &context, &secret)?)?;
                let fields = after.fields_after(&before, true);
                Ok(Change::between((), workspace, &before.fields(), &fields))
            })
            .await
    }

    /// Lets others try, or writes down that there is no use in it.
    async fn give_up(&self, opened: &Opened, failure: Failure) -> Result<(), Error> {
        let asked = opened.integration.clone();
        let workspace: WorkspaceId = asked.workspace_id;
        self.store
            .write(&self.job(asked.tenant_id), InWorkspace::Id(workspace), Action::IntegrationRenew, move |tx| {
                let before = tx.lock_integration(asked.provider)?.integration;
                if before.secret != asked.secret {
                    return Ok(Change::nothing(()));
                }
                tx.end_renewal(asked.provider)?;
                if failure != Failure::NotRenewed {
                    return Ok(Change::bookkeeping(()));
                }
                let (verified_at, last_error) = (Some(tx.clock()?), Some(not_renewed(asked.provider)));
                let verdict = Verification { status: VerificationStatus::Failed, verified_at, last_error };
                let after = tx.store_verification(asked.provider, &verdict)?;
                Ok(Change::between((), workspace, &before.fields(), &after.fields()))
            })
            .await
    }

    fn job(&self, tenant: TenantId) -> Credential {
        Credential { holder: Holder::Job { name: JOB, tenant: Some(tenant) }, origin: self.origin.clone() }
    }
}
