//! Hostile input: whatever comes, it is taken and comes back as it was, or it is refused with a reason. Never a fault.

mod json;
mod limits;
mod members;
mod order;
mod parameters;
mod places;
mod strings;
