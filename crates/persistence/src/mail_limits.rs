//! How much email a tenant causes. It is counted where it is wanted, in the outbox, which nobody inside a tenant can empty: whether
//! a message was sent, dropped or given up, it counts for a day.

use chrono::{DateTime, Duration, Utc};
use diesel::{
    dsl::{IntervalDsl, max, now, sql},
    prelude::*,
    sql_types::{Text, Timestamptz},
};
use tenantry_domain::{
    Cap, EmailAddress, InTenant, Invitation, InvitationId, MAIL_WINDOW_HOURS, Mail, MailLimit, MailLimits,
};

use crate::{
    fault::Fault,
    schema::{invitations, outbox_messages},
    scope::TenantScope,
    tx::WriteTx,
};

/// When there is room again, if ever.
type RoomAt = Option<DateTime<Utc>>;

impl WriteTx<'_, InTenant> {
    /// Whether the invitation may be emailed now.
    pub fn may_email(&mut self, invitation: &Invitation) -> Result<bool, Fault> {
        let limits = self.rules.mail_limits;
        let mail = Mail::Invitation(invitation.id);
        Ok(self.scope().full_mail_limit(mail, &invitation.details.email, limits)?.is_none())
    }
}

impl TenantScope<'_> {
    /// Refuses one more pending invitation of a tenant that has as many as it may. Meaningful while the tenant is locked.
    pub(crate) fn check_pending(&mut self, limits: MailLimits) -> Result<(), Fault> {
        let limits = limits.of_tenant(self.read_tenant()?.limits);
        let pending = self.pending_invitations()?;
        Ok(limits.allow_pending(pending)?)
    }

    /// Refuses an email that the limits leave no room for. Whoever wants another email of the tenant waits from here until the end
    /// of the transaction, so that both count.
    pub(crate) fn check_mail(&mut self, id: InvitationId, limits: MailLimits) -> Result<(), Fault> {
        self.lock_tenant()?;
        let mail = Mail::Invitation(id);
        let recipient = self.lock_invitation(id)?.details.email;
        let Some((limit, room_at)) = self.full_mail_limit(mail, &recipient, limits)? else { return Ok(()) };
        let clock: DateTime<Utc> = diesel::select(now.into_sql::<Timestamptz>()).get_result(self.connection)?;
        Err(limit.refusal(room_at, clock).into())
    }

    /// The limit that leaves no room for one more email, and when it will, if ever.
    fn full_mail_limit(
        &mut self,
        mail: Mail,
        recipient: &EmailAddress,
        limits: MailLimits,
    ) -> Result<Option<(MailLimit, RoomAt)>, Fault> {
        let limits = limits.of_tenant(self.read_tenant()?.limits);
        let last: Option<DateTime<Utc>> = outbox_messages::table
            .filter(outbox_messages::tenant_id.eq(self.tenant.uuid()))
            .filter(outbox_messages::subject_id.eq(mail.subject_id()).and(outbox_messages::kind.eq(mail.kind())))
            .select(max(outbox_messages::created_at))
            .first(self.connection)?;
        let clock: DateTime<Utc> = diesel::select(now.into_sql::<Timestamptz>()).get_result(self.connection)?;
        if let Some(next) = last.map(|last| last + limits.interval).filter(|next| *next > clock) {
            return Ok(Some((MailLimit::Interval, Some(next))));
        }
        // A mailbox that got its share stays so when the tenant may send more.
        if let Some(room) = self.full(limits.per_recipient, Some(recipient))? {
            return Ok(Some((MailLimit::Recipient(limits.per_recipient), room)));
        }
        if let Some(room) = self.full(limits.per_tenant, None)? {
            return Ok(Some((MailLimit::Tenant(limits.per_tenant), room)));
        }
        Ok(None)
    }

    /// When there is room for one more email of the tenant, to this recipient or to anybody, if there is none now: when so many
    /// have left the window that fewer than the cap are in it. `Some(None)` for a cap of 0.
    fn full(&mut self, cap: Cap, recipient: Option<&EmailAddress>) -> Result<Option<RoomAt>, Fault> {
        let Some(newer) = cap.get().checked_sub(1) else { return Ok(Some(None)) };
        let mut wanted = outbox_messages::table
            .filter(outbox_messages::tenant_id.eq(self.tenant.uuid()))
            .filter(outbox_messages::created_at.gt(now.into_sql::<Timestamptz>() - MAIL_WINDOW_HOURS.hours()))
            .select(outbox_messages::created_at)
            .order((outbox_messages::created_at.desc(), outbox_messages::id.desc()))
            .offset(newer.into())
            .limit(1)
            .into_boxed();
        if let Some(recipient) = recipient {
            // What EmailAddress::mailbox says, of a stored key.
            let mailbox = sql::<Text>("regexp_replace(email_key, '^([^+@]+)[+][^@]*@', '\\1@')");
            let theirs = invitations::table
                .filter(invitations::tenant_id.eq(self.tenant.uuid()))
                .filter(mailbox.eq(recipient.mailbox()))
                .select(invitations::id);
            wanted = wanted.filter(outbox_messages::subject_id.eq_any(theirs));
        }
        let in_the_way: Option<DateTime<Utc>> = wanted.first(self.connection).optional()?;
        Ok(in_the_way.map(|at| Some(at + Duration::hours(MAIL_WINDOW_HOURS.into()))))
    }
}
