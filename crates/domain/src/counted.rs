//! Numbers with their nouns.

/// A number with its noun in the singular or the plural: `1 minute`, `2 minutes`, `0 entries`.
pub fn counted(number: impl Into<i128>, noun: &str) -> String {
    let number = number.into();
    match noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
        _ if number == 1 => format!("1 {noun}"),
        Some(stem) => format!("{number} {stem}ies"),
        None => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_all_others_are_several() {
        for (number, noun, words) in [
            (1, "minute", "1 minute"),
            (0, "minute", "0 minutes"),
            (2, "API key", "2 API keys"),
            (1, "usage entry", "1 usage entry"),
            (2, "usage entry", "2 usage entries"),
        ] {
            assert_eq!(counted(number, noun), words);
        }
    }
}
