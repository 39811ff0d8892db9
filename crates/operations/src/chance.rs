//! Chance, which spreads what would otherwise all be tried at once.

/// From 0 to 1. That it is random at all matters more than how, so that no randomness is no failure.
pub(crate) fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_from_0_to_1() {
        assert!((0..100).all(|_| (0.0..=1.0).contains(&chance())));
    }
}
