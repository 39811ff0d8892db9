//! What a message of the outbox says, put together when it is sent.

use tenantry_domain::{Brand, OutboxMessage, SignatureHtml, SignatureText, Workspace};
use tenantry_persistence::DueInvitation;

use super::Sender;
use crate::mail::{Email, InvitationEmail, MailFault, invitation_email};

/// The email of an invitation. One to a single workspace is written in its name, with the signature in force there; any other
/// one in the name of the default brand.
pub(super) fn of_invitation(
    sender: &Sender,
    message: &OutboxMessage,
    due: &DueInvitation,
    link: &str,
) -> Result<Email, MailFault> {
    let DueInvitation { invitation, tenant, workspaces, brand, invited_by } = due;
    let (html, text) = match workspaces.as_slice() {
        [one] => signatures(one, brand),
        _ => (brand.details.email_signature_html.clone(), brand.details.email_signature_text.clone()),
    };
    invitation_email(&InvitationEmail {
        id: message.id.uuid(),
        date: message.created_at,
        from_address: sender.from_address.clone(),
        to: invitation.details.email.clone(),
        tenant: tenant.details.name.clone(),
        brand: brand.details.name.clone(),
        // No workspace has a sender of its own.
        sender: brand.details.email_from_name.clone(),
        signatures: sender.signatures,
        signature_html: html,
        signature_text: text,
        language: due.language(),
        invited_by: invited_by.clone(),
        reply_to_inviter: sender.reply_to_inviter,
        role: invitation.details.role,
        workspaces: workspaces.iter().map(|workspace| workspace.details.name.clone()).collect(),
        link: link.to_owned(),
        expires_at: invitation.expires_at,
    })
}

/// The signatures in force in a workspace: each falls back to the brand's on its own.
fn signatures(workspace: &Workspace, brand: &Brand) -> (Option<SignatureHtml>, Option<SignatureText>) {
    let (own, fallback) = (&workspace.details, &brand.details);
    let html = own.email_signature_html.as_ref().or(fallback.email_signature_html.as_ref());
    let text = own.email_signature_text.as_ref().or(fallback.email_signature_text.as_ref());
    (html.cloned(), text.cloned())
}
