//! Tokens of invitations: each by its hash, for as long as somebody may still come with it.

use diesel::{
    dsl::{IntervalDsl, now},
    prelude::*,
    sql_types::Timestamptz,
};
use tenantry_domain::{InTenant, InvitationId, SecretHash};

use crate::{
    fault::Fault,
    outbox::{CLEARED_AT_ONCE, KEPT_DAYS},
    schema::{invitation_tokens, invitations},
    scope::TenantScope,
    tx::WriteTx,
};

impl WriteTx<'_, InTenant> {
    /// Writes down the hash of a token that is about to be sent with the invitation.
    pub fn add_invitation_token(&mut self, id: InvitationId, hash: &SecretHash) -> Result<(), Fault> {
        diesel::insert_into(invitation_tokens::table)
            .values((
                invitation_tokens::tenant_id.eq(self.found.uuid()),
                invitation_tokens::token_hash.eq(hash.as_bytes()),
                invitation_tokens::invitation_id.eq(id.uuid()),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Deletes some of the tokens of invitations that ended long ago, and returns how many.
    pub fn clear_tokens(&mut self) -> Result<usize, Fault> {
        let long_ago = || now.into_sql::<Timestamptz>() - KEPT_DAYS.days();
        let tenant = self.found.uuid();
        let ended = invitations::expires_at
            .lt(long_ago())
            .or(invitations::accepted_at.assume_not_null().lt(long_ago()))
            .or(invitations::revoked_at.assume_not_null().lt(long_ago()));
        let some: Vec<Vec<u8>> = invitation_tokens::table
            .inner_join(
                invitations::table.on(invitations::tenant_id
                    .eq(invitation_tokens::tenant_id)
                    .and(invitations::id.eq(invitation_tokens::invitation_id))),
            )
            .filter(invitation_tokens::tenant_id.eq(tenant).and(invitations::tenant_id.eq(tenant)).and(ended))
            .select(invitation_tokens::token_hash)
            .limit(CLEARED_AT_ONCE)
            .load(self.connection)?;
        let cleared = invitation_tokens::table
            .filter(invitation_tokens::tenant_id.eq(tenant).and(invitation_tokens::token_hash.eq_any(some)));
        Ok(diesel::delete(cleared).execute(self.connection)?)
    }
}

impl TenantScope<'_> {
    /// What was sent with the invitation so far is good no longer, and is known to have been.
    pub(crate) fn replace_tokens(&mut self, id: InvitationId) -> QueryResult<()> {
        diesel::update(
            invitation_tokens::table
                .filter(
                    invitation_tokens::tenant_id
                        .eq(self.tenant.uuid())
                        .and(invitation_tokens::invitation_id.eq(id.uuid())),
                )
                .filter(invitation_tokens::replaced_at.is_null()),
        )
        .set(invitation_tokens::replaced_at.eq(now))
        .execute(self.connection)
        .map(drop)
    }
}
