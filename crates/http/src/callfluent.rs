//! The CallFluent dialect: paths, bodies, envelopes, statuses and sentences of its published page, each as odd as it is there.
//!
//! It translates and decides nothing: behind it are the operations, permissions and transactions of the native API. A workspace
//! is known by its number in its tenant.

mod answer;
mod error;
mod number;
mod request;
pub(crate) mod workspace;

pub(crate) use error::{DialectErrorBody, example};
