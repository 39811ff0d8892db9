//! What the routes by external ID have in common.

/// What was put under an external ID.
#[derive(Debug, Clone)]
pub struct Put<T> {
    /// The thing.
    pub thing: T,
    /// Whether it was created. If not, it was there and is now as it was asked to be.
    pub is_new: bool,
}

impl<T> Put<T> {
    pub(crate) fn created(thing: T) -> Self {
        Self { thing, is_new: true }
    }

    pub(crate) fn updated(thing: T) -> Self {
        Self { thing, is_new: false }
    }
}
