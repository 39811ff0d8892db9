//! What a stranger wrote, as it may stand in the log.

/// This text, escaped, and cut after so many characters.
pub(crate) fn for_log(text: &str, longest: usize) -> String {
    let mut shown: String = text.chars().take(longest).flat_map(char::escape_debug).collect();
    if text.chars().nth(longest).is_some() {
        shown.push('…');
    }
    shown
}
