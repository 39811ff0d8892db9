//! Tokens that must be refused, by what is wrong with them.

mod claims;
mod form;
mod header;
mod signature;

use super::Trio;

type Named = Vec<(String, String)>;

pub(super) fn all(trio: &Trio) -> Named {
    [signature::all(trio), header::all(trio), claims::all(trio), form::all(trio)].concat()
}
