//! Tokens of invitations: each by its hash, for as long as somebody may still come with it.

use diesel::{dsl::now, prelude::*};
use tenantry_domain::{InTenant, InvitationId, SecretHash};

use crate::{fault::Fault, schema::invitation_tokens, scope::TenantScope, tx::WriteTx};

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
