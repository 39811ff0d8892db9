//! The voices that OpenAI has built in. There is no list to ask for; this one is from its documentation.

use tenantry_domain::{Voice, VoiceBrand};

const VOICES: [(&str, &str); 13] = [
    ("alloy", "Friendly and expressive male"),
    ("ash", "Warm and confident male"),
    ("ballad", "Gentle and melodic male"),
    ("cedar", "Deep and natural male"),
    ("coral", "Warm and friendly female"),
    ("echo", "Clear and natural male"),
    ("fable", "Lively storyteller"),
    ("marin", "Clear and natural female"),
    ("nova", "Bright and energetic female"),
    ("onyx", "Deep and steady male"),
    ("sage", "Calm and thoughtful female"),
    ("shimmer", "Soft and optimistic female"),
    ("verse", "Versatile and expressive male"),
];

/// All of them, in alphabetical order.
pub(super) fn voices() -> impl Iterator<Item = Voice> {
    // Each is one: a test counts them.
    VOICES.iter().filter_map(|(value, label)| {
        Some(Voice { value: value.parse().ok()?, label: label.parse().ok()?, brand: VoiceBrand::OpenAi })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_there_in_order_and_none_is_called_like_another() {
        let voices: Vec<_> = voices().collect();
        assert_eq!(voices.len(), VOICES.len());
        assert!(voices.is_sorted_by(|a, b| a.value.as_str() < b.value.as_str()));
        let mut labels: Vec<_> = voices.iter().map(|voice| voice.label.as_str()).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), VOICES.len());
    }
}
