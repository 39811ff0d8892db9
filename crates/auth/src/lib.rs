//! Proof of who asks: API keys, platform keys, the tokens of invitations, and JWTs of trusted issuers. And the seal on the
//! secrets of others that are kept for a workspace.
//!
//! What is presented becomes a [`Holder`](tenantry_domain::Holder), or a hash to look up, when it holds cryptographically,
//! without a look at the database: whether the tenant knows it is for the door to find out. This crate refuses to know HTTP
//! and SQL, except to ask issuers for their keys, and to show a secret: [`Secret`] prints as `redacted`. Time is passed in.

mod api_key;
mod base62;
#[cfg(test)]
mod fuzz;
mod invitation_token;
pub mod jwt;
mod kind;
mod platform_key;
pub mod seal;
mod secret;

pub use api_key::{issue, present};
pub use invitation_token::{issue_invitation, present_invitation};
pub use kind::CredentialKind;
pub use platform_key::{NotAPlatformKeyHash, PlatformKeyHash, PlatformKeys, issue_platform};
pub use secret::Secret;
