//! Members: who sees what, who may change whom, and that a tenant always keeps an owner.
#![expect(clippy::unwrap_used, reason = "a test ends when something is not as it must be")]

#[path = "members/access.rs"]
mod access;
#[path = "members/lists.rs"]
mod lists;
#[path = "members/owners.rs"]
mod owners;
#[path = "members/people.rs"]
mod people;
#[path = "members/places.rs"]
mod places;
