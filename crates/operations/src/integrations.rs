//! Integrations: list, show, set, remove, verify, and open for those who ask a provider something.

mod discarded;
mod master_keys;
mod renewal;

use chrono::{DateTime, Utc};
use tenantry_auth::seal::{MasterKeys, SealContext, sealed_under};
use tenantry_domain::{
    Action, Change, Choice, Conflict, ConnectionStatus, Credential, Error, InWorkspace, Integration, IntegrationPatch,
    Noun, PlainSecret, Precondition, Provider, SealedSecret, Verification, VerificationStatus, WorkspaceId, Written,
};
use tenantry_persistence::{Fault, NewSealed, Store, StoredIntegration, Tx, WriteTx};

pub(crate) use self::renewal::{Opened, Renewing};
pub use self::{
    discarded::{DISCARDED_DAYS, take_back_discarded},
    master_keys::{Resealed, Resealing, may_discard, needed_master_keys, reseal},
};
use crate::providers::{OpenedFields, Providers, VerifyOutcome, is_refusal};

/// The integrations of a workspace with every provider there is, be they made or not.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn list(store: &Store, credential: &Credential, workspace: WorkspaceId) -> Result<Vec<Integration>, Error> {
    store.read(credential, InWorkspace::Id(workspace), Action::IntegrationList, list_in).await
}

fn list_in(tx: &mut Tx<'_, InWorkspace>) -> Result<Vec<Integration>, Fault> {
    let (tenant, workspace, made) = (tx.tenant_id(), tx.workspace_id(), tx.integrations()?);
    let one = |provider: Provider| {
        let made = made.iter().find(|integration| integration.provider == provider).cloned();
        made.unwrap_or_else(|| Integration::never_made(tenant, workspace, provider))
    };
    Ok(Provider::ALL.iter().map(|(provider, _)| one(*provider)).collect())
}

/// The integration of a workspace with this provider, be it made or not; `None` for a provider that is not one.
///
/// # Errors
///
/// Those of [`Store::read`], and `NotFound` for what is no provider.
pub async fn show(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    provider: Option<Provider>,
) -> Result<Integration, Error> {
    store
        .read(credential, InWorkspace::Id(workspace), Action::IntegrationList, move |tx| {
            Ok(tx.integration(known(provider)?)?.integration)
        })
        .await
}

/// Sets fields of the integration with this provider. What the patch does not name stays, so that an integration may be there in
/// part; [`IntegrationPatch::replacing`] sets all of it. What the provider said of the old fields is forgotten.
///
/// # Errors
///
/// Those of [`Store::write`], `PreconditionFailed`, and `NotFound` for what is no provider.
pub async fn set(
    store: &Store,
    keys: &MasterKeys,
    credential: &Credential,
    workspace: WorkspaceId,
    provider: Option<Provider>,
    precondition: Precondition,
    patch: IntegrationPatch,
) -> Result<Written<Integration>, Error> {
    let keys = keys.clone();
    store
        .write_and_show(credential, InWorkspace::Id(workspace), Action::IntegrationUpdate, move |tx| {
            set_in(tx, &keys, known(provider)?, &precondition, &patch)
        })
        .await
}

pub(crate) fn set_in(
    tx: &mut WriteTx<'_, InWorkspace>,
    keys: &MasterKeys,
    provider: Provider,
    precondition: &Precondition,
    patch: &IntegrationPatch,
) -> Result<Change<Integration>, Fault> {
    if !patch.is_of(provider) {
        return Err(Error::internal("a field of another provider").into());
    }
    let new = patch.secret.as_ref().and_then(Option::as_ref);
    if new.is_some() {
        tx.note_master_key(keys.sealing())?;
    }
    let before = tx.lock_integration(provider)?.integration;
    hold(tx, precondition, &before)?;
    if patch.leaves(&before) {
        return Ok(Change::nothing(before));
    }
    // The time that will be stored with it.
    let context = SealContext { set_at: tx.clock()?, ..context(&before) };
    let sealed = new.map(|secret| seal(keys, &context, secret)).transpose()?;
    let plain = patch.plain.as_ref().map_or(before.plain.as_ref(), Option::as_ref);
    let key = patch.api_key_sid.as_ref().map_or(before.api_key_sid.as_ref(), Option::as_ref);
    let region = patch.twilio_region.unwrap_or(before.twilio_region);
    let secret = patch.secret.as_ref().map(|_| sealed.as_ref());
    let after = tx.update_integration(provider, (plain, key, region), secret)?;
    let fields = after.fields_after(&before, sealed.is_some());
    Ok(Change::between(after, before.workspace_id, &before.fields(), &fields))
}

/// Removes the integration with this provider, with its secret.
///
/// # Errors
///
/// Those of [`Store::write`], `PreconditionFailed`, and `NotFound` for one that is not there, or what is no provider.
pub async fn remove(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    provider: Option<Provider>,
    precondition: Precondition,
) -> Result<(), Error> {
    store
        .write(credential, InWorkspace::Id(workspace), Action::IntegrationRemove, move |tx| {
            let provider = known(provider)?;
            let before = tx.lock_integration(provider)?.integration;
            if before.status() == ConnectionStatus::NotConnected {
                return Err(Error::NotFound(Noun::Integration).into());
            }
            hold(tx, &precondition, &before)?;
            let after = tx.update_integration(provider, (None, None, None), Some(None))?;
            Ok(Change::between((), workspace, &before.fields(), &after.fields()))
        })
        .await
}

/// The integration with this provider, for whoever may take this action in the workspace, and its opened fields if it is
/// connected. They are for the provider, and for nobody who asked.
///
/// # Errors
///
/// Those of [`Store::read`], and `Conflict` with `secret_unreadable` for a secret that does not open.
pub async fn open(
    store: &Store,
    keys: &MasterKeys,
    credential: &Credential,
    workspace: impl Into<InWorkspace>,
    provider: Provider,
    action: Action,
) -> Result<(Integration, Option<OpenedFields>), Error> {
    let stored = store.read(credential, workspace.into(), action, move |tx| tx.integration(provider)).await?;
    let fields = unseal(keys, &stored)?;
    Ok((stored.integration, fields))
}

/// Asks the provider whether it takes the fields of an integration, and stores what it says.
///
/// # Errors
///
/// Those of [`Store::write`], `NotFound` for what is no provider, and `Conflict` for an integration that lacks something or whose
/// secret does not open. That a provider refuses or does not answer is no error: it is what the integration then says. That it is not
/// asked is one, see [`Providers::verify`].
pub async fn verify(
    store: &Store,
    keys: &MasterKeys,
    providers: &Providers,
    credential: &Credential,
    workspace: WorkspaceId,
    provider: Option<Provider>,
    now: DateTime<Utc>,
) -> Result<Written<Integration>, Error> {
    let asked = store
        .read_ahead(credential, InWorkspace::Id(workspace), Action::IntegrationVerify, move |tx| {
            tx.integration(known(provider)?)
        })
        .await?;
    let provider = asked.integration.provider;
    let Some(fields) = unseal(keys, &asked)? else { return Err(incomplete(&asked.integration)) };
    let opened = Opened { integration: asked.integration.clone(), fields };
    // Outside the door: no transaction waits for a provider.
    let renewing = Renewing::of(store, keys, providers, credential, now);
    let verify = async |opened: &Opened| {
        providers.verify((opened.integration.tenant_id, workspace), provider, &opened.fields, now).await
    };
    let (asked, outcome) =
        match renewing.ask(opened, verify, |outcome| matches!(outcome, Ok(VerifyOutcome::Refused(_)))).await {
            Ok((opened, outcome)) => (opened.integration, outcome?),
            Err(error) if is_refusal(&error) => (asked.integration, VerifyOutcome::Refused(error.to_string())),
            Err(error) => return Err(error),
        };
    store
        .write_and_show(credential, InWorkspace::Id(workspace), Action::IntegrationVerify, move |tx| {
            let now = tx.clock()?;
            let before = tx.lock_integration(provider)?.integration;
            // What was asked about may have been replaced meanwhile: the answer says nothing of what is there now.
            if (&before.plain, &before.api_key_sid, before.twilio_region, &before.secret)
                != (&asked.plain, &asked.api_key_sid, asked.twilio_region, &asked.secret)
            {
                return Ok(Change::nothing(before));
            }
            let verification = match outcome.clone() {
                VerifyOutcome::Ok => {
                    Verification { status: VerificationStatus::Ok, verified_at: Some(now), last_error: None }
                }
                VerifyOutcome::Limited(sentence) => Verification {
                    status: VerificationStatus::Limited,
                    verified_at: Some(now),
                    last_error: Some(sentence),
                },
                VerifyOutcome::Refused(sentence) => Verification {
                    status: VerificationStatus::Failed,
                    verified_at: Some(now),
                    last_error: Some(sentence),
                },
                VerifyOutcome::Unavailable(sentence) => {
                    Verification { last_error: Some(sentence), ..before.verification.clone() }
                }
            };
            let says = |verification: &Verification| (verification.status, verification.last_error.clone());
            // Whoever tried to renew the token has stored the same verdict meanwhile.
            let is_known =
                before.verification != asked.verification && says(&verification) == says(&before.verification);
            if is_known || verification == before.verification {
                return Ok(Change::nothing(before));
            }
            let after = tx.store_verification(provider, &verification)?;
            let fields = after.fields();
            Ok(Change::between(after, workspace, &before.fields(), &fields))
        })
        .await
}

/// What is no provider is not found, by somebody who may look for it.
fn known(provider: Option<Provider>) -> Result<Provider, Fault> {
    provider.ok_or_else(|| Error::NotFound(Noun::Integration).into())
}

/// Any precondition but none asks that the integration is there.
fn hold(tx: &WriteTx<'_, InWorkspace>, precondition: &Precondition, integration: &Integration) -> Result<(), Fault> {
    match precondition {
        Precondition::Exists if integration.status() == ConnectionStatus::NotConnected => {
            Err(Error::PreconditionFailed.into())
        }
        _ => tx.hold(precondition, integration.version),
    }
}

pub(crate) fn context(integration: &Integration) -> SealContext {
    SealContext {
        tenant: integration.tenant_id,
        workspace: integration.workspace_id,
        provider: integration.provider,
        field: integration.provider.secret_field(),
        set_at: integration.secret.as_ref().map(|secret| secret.set_at).unwrap_or_default(),
    }
}

fn seal(keys: &MasterKeys, context: &SealContext, secret: &PlainSecret) -> Result<NewSealed, Error> {
    let sealed = keys.seal(context, secret)?;
    let (last_four, renewable) = (secret.last_four().map(str::to_owned), secret.renewal().is_some());
    Ok(NewSealed { sealed, key: keys.sealing().clone(), last_four, renewable })
}

/// The fields of what is connected. A secret that does not open is somebody's mistake or somebody's deed, and worth an alarm.
fn unseal(keys: &MasterKeys, stored: &StoredIntegration) -> Result<Option<OpenedFields>, Error> {
    let StoredIntegration { integration, sealed } = stored;
    let Some(sealed) = sealed.as_ref().filter(|_| integration.status() == ConnectionStatus::Connected) else {
        return Ok(None);
    };
    match keys.open(&context(integration), sealed) {
        Ok(secret) => {
            let (plain, api_key_sid) = (integration.plain.clone(), integration.api_key_sid.clone());
            Ok(Some(OpenedFields { plain, api_key_sid, twilio_region: integration.twilio_region, secret }))
        }
        Err(_) => {
            does_not_open(&context(integration), sealed);
            let label = integration.provider.label();
            let message = format!("The stored secret for {label} can no longer be decrypted. Set it again.");
            Err(Error::conflict(Conflict::SecretUnreadable, message))
        }
    }
}

/// The alarm.
fn does_not_open(context: &SealContext, sealed: &SealedSecret) {
    let SealContext { tenant, workspace, provider, field, .. } = context;
    let master_key = sealed_under(sealed);
    tracing::error!(
        %tenant, %workspace, %provider, field, master_key,
        "cannot decrypt a stored secret: it is damaged, was copied from elsewhere, or is encrypted under another master key"
    );
}

fn incomplete(integration: &Integration) -> Error {
    let (label, missing) = (integration.provider.label(), integration.missing().join(" and "));
    Error::conflict(
        Conflict::IntegrationIncomplete,
        format!("The integration with {label} is missing {missing}. Set it first."),
    )
}
