//! What moves with a tenant, and with nothing else: the row of the tenant itself, and what is known of secrets.

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types::Text};
use tenantry_domain::{
    ApiKey, ApiKeyId, BrandId, Change, Error, FieldRefusal, InTenant, InvitationId, Platform, SecretHash, Tenant,
    WorkspaceId,
};
use uuid::Uuid;

use crate::{
    due::Due,
    fault::Fault,
    schema::{api_keys, invitation_tokens},
    tenants::LastNumbers,
    transfer::{AT_ONCE, NO_WORKSPACE, refusal},
    tx::{Tx, WriteTx},
};

/// The token of an invitation, by its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptToken {
    /// Of which invitation.
    pub invitation_id: InvitationId,
    /// Its hash.
    pub hash: SecretHash,
    /// When another took its place.
    pub replaced_at: Option<DateTime<Utc>>,
}

impl WriteTx<'_, Platform> {
    /// Creates a tenant as it was elsewhere, with its id and frozen, and does this inside.
    pub fn move_in<T>(
        &mut self,
        (tenant, last): (&Tenant, LastNumbers),
        work: impl FnOnce(&mut WriteTx<'_, InTenant>) -> Result<Change<T>, Fault>,
    ) -> Result<T, Fault> {
        self.insert_moved(tenant, last)?;
        // What follows is inside the new tenant, where the platform itself sees nothing.
        diesel::sql_query("SELECT set_tenant($1)").bind::<Text, _>(tenant.id.to_string()).execute(self.connection)?;
        let Tx { connection, actor, grant, .. } = &mut self.tx;
        let mut inside = WriteTx {
            tx: Tx { connection, actor: actor.clone(), grant: grant.clone(), found: tenant.id },
            action: self.action,
            credential: self.credential,
            rules: self.rules,
            due: Due::default(),
        };
        let change = work(&mut inside)?;
        let value = inside.record(change)?;
        let due = inside.due;
        self.due |= due;
        Ok(value)
    }
}

impl Tx<'_, InTenant> {
    /// The hashes of these keys.
    pub fn hashes_of(&mut self, keys: &[ApiKeyId]) -> Result<Vec<(ApiKeyId, SecretHash)>, Fault> {
        let ids: Vec<Uuid> = keys.iter().map(|id| id.uuid()).collect();
        let rows: Vec<(Uuid, Vec<u8>)> = api_keys::table
            .filter(api_keys::tenant_id.eq(self.found.uuid()).and(api_keys::id.eq_any(ids)))
            .select((api_keys::id, api_keys::secret_hash))
            .load(self.connection)?;
        rows.into_iter().map(|(id, hash)| Ok((ApiKeyId::from_uuid(id), stored_hash(&hash)?))).collect()
    }

    /// The tokens of these invitations, in the order of their hashes.
    pub fn tokens_of(&mut self, invitations: &[InvitationId]) -> Result<Vec<KeptToken>, Fault> {
        let ids: Vec<Uuid> = invitations.iter().map(|id| id.uuid()).collect();
        let rows: Vec<(Uuid, Vec<u8>, Option<DateTime<Utc>>)> = invitation_tokens::table
            .filter(invitation_tokens::tenant_id.eq(self.found.uuid()))
            .filter(invitation_tokens::invitation_id.eq_any(ids))
            .select((invitation_tokens::invitation_id, invitation_tokens::token_hash, invitation_tokens::replaced_at))
            .order(invitation_tokens::token_hash)
            .load(self.connection)?;
        let kept = |(invitation, hash, replaced_at): (Uuid, Vec<u8>, _)| {
            Ok(KeptToken { invitation_id: InvitationId::from_uuid(invitation), hash: stored_hash(&hash)?, replaced_at })
        };
        rows.into_iter().map(kept).collect()
    }
}

impl WriteTx<'_, InTenant> {
    /// Stores keys as they were elsewhere.
    pub fn import_api_keys(&mut self, keys: &[&(ApiKey, SecretHash)]) -> Result<Option<FieldRefusal>, Fault> {
        let rows = keys.iter().map(|(key, hash)| {
            let (brand, workspace) = key.details.reach.restriction();
            let scopes: Vec<&str> = key.details.scopes.iter().map(|scope| scope.as_str()).collect();
            (
                api_keys::tenant_id.eq(self.found.uuid()),
                api_keys::id.eq(key.id.uuid()),
                api_keys::secret_hash.eq(hash.as_bytes()),
                api_keys::name.eq(key.details.name.as_str()),
                api_keys::mode.eq(key.details.mode.as_str()),
                api_keys::scopes.eq(scopes),
                api_keys::brand_id.eq(brand.map(BrandId::uuid)),
                api_keys::workspace_id.eq(workspace.map(WorkspaceId::uuid)),
                api_keys::last_four.eq(&key.last_four),
                api_keys::expires_at.eq(key.details.expires_at),
                api_keys::revoked_at.eq(key.revoked_at),
                api_keys::last_used_at.eq(key.last_used_at),
                api_keys::replaced_by.eq(key.replaced_by.map(ApiKeyId::uuid)),
                api_keys::created_by.eq(key.created_by.as_ref().map(ToString::to_string)),
                api_keys::version.eq(key.version),
                api_keys::created_at.eq(key.created_at),
                api_keys::updated_at.eq(key.updated_at),
            )
        });
        let rows: Vec<_> = rows.collect();
        let stored = diesel::insert_into(api_keys::table).values(rows).execute(self.connection);
        refusal(
            stored,
            &[
                ("api_keys_pkey", "id", "is the id of an earlier API key"),
                ("api_keys_secret_hash_key", "sealed", "is the secret of an earlier API key"),
                ("api_keys_brand_fkey", "brandId", "is not the id of an earlier brand"),
                ("api_keys_workspace_fkey", "workspaceId", NO_WORKSPACE),
            ],
        )
    }

    /// Stores the tokens of invitations as they were elsewhere.
    pub(crate) fn import_tokens(&mut self, tokens: &[&KeptToken]) -> QueryResult<()> {
        for some in tokens.chunks(AT_ONCE) {
            let rows = some.iter().map(|token| {
                (
                    invitation_tokens::tenant_id.eq(self.found.uuid()),
                    invitation_tokens::token_hash.eq(token.hash.as_bytes()),
                    invitation_tokens::invitation_id.eq(token.invitation_id.uuid()),
                    invitation_tokens::replaced_at.eq(token.replaced_at),
                )
            });
            let rows: Vec<_> = rows.collect();
            diesel::insert_into(invitation_tokens::table).values(rows).execute(self.connection)?;
        }
        Ok(())
    }
}

fn stored_hash(bytes: &[u8]) -> Result<SecretHash, Fault> {
    let hash = bytes.try_into().map(SecretHash::new);
    hash.map_err(|_| Error::internal("a stored hash does not have 32 bytes").into())
}
