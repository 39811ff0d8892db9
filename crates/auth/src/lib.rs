//! Proof of who asks: API keys, platform and service keys, the tokens of invitations, and JWTs of trusted issuers. And the seal on the
//! secrets of others that are kept for a workspace.
//!
//! What is presented becomes a [`Holder`](tenantry_domain::Holder), or a hash to look up, when it holds cryptographically,
//! without a look at the database: whether the tenant knows it is for the door to find out. This crate refuses to know HTTP
//! and SQL, except to ask issuers for their keys, and to show a secret: [`Secret`] prints as `redacted`. Time is passed in.

mod api_key;
mod base62;
#[cfg(test)]
mod fuzz;
mod house_key;
mod invitation_token;
pub mod jwt;
mod kind;
pub mod seal;
mod secret;
mod webhook_secret;

pub use api_key::{issue, present};
pub use house_key::{
    HouseKey, KeyHash, KnownKeys, NotAKeyHash, PlatformKey, PlatformKeyHash, PlatformKeys, ServiceKey, ServiceKeyHash,
    ServiceKeys, issue_platform, issue_service,
};
pub use invitation_token::{issue_invitation, present_invitation};
pub use kind::CredentialKind;
pub use secret::Secret;
pub use webhook_secret::{WebhookSecret, WebhookSecrets};
