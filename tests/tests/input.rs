//! Hostile input: whatever comes, it is taken and comes back as it was, or it is refused with a reason. Never a fault.

#[path = "input/json.rs"]
mod json;
#[path = "input/limits.rs"]
mod limits;
#[path = "input/members.rs"]
mod members;
#[path = "input/places.rs"]
mod places;
#[path = "input/strings.rs"]
mod strings;
