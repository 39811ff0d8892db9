//! Tenantry's words and rules: no input, no output, no framework.

mod refusal;

pub use refusal::{FieldRefusal, Refusal};
