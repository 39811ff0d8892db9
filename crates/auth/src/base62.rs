//! Numbers and randomness as digits and letters (`0-9A-Za-z`), which survive every channel and select with a double click.
//!
//! Written here because crates for this encode integers in as few digits as they need. Keys have a fixed length, so the leading
//! zeros stay; and half of this file draws digits from the operating system without favouring any, which they do not do at all.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The number in exactly `width` characters, most significant first; 22 hold every `u128`, 6 every `u32`.
pub(crate) fn encode(mut number: u128, width: usize) -> String {
    let mut digits = vec![ALPHABET[0]; width];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(number % 62) as usize];
        number /= 62;
    }
    digits.into_iter().map(char::from).collect()
}

/// The number that [`encode`] wrote; `None` for another character or a number beyond a `u128`.
pub(crate) fn decode(digits: &str) -> Option<u128> {
    digits.bytes().try_fold(0_u128, |number, byte| {
        let digit = ALPHABET.iter().position(|b| *b == byte)?;
        number.checked_mul(62)?.checked_add(digit as u128)
    })
}

/// `length` characters from the operating system's randomness, each of the 62 equally likely.
///
/// # Errors
///
/// The operating system has no randomness to give.
pub(crate) fn random(length: usize) -> Result<String, getrandom::Error> {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0_u8; 48];
        getrandom::fill(&mut bytes)?;
        text.extend(bytes.iter().filter_map(|byte| fair(*byte)).take(length - text.len()));
    }
    Ok(text)
}

/// The character that a random byte becomes. 248 is the largest multiple of 62 in a byte; what lies above would favour the first
/// letters.
fn fair(byte: u8) -> Option<char> {
    (byte < 248).then(|| char::from(ALPHABET[usize::from(byte % 62)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, 61, 62, u128::from(u32::MAX), u128::MAX] {
            assert_eq!(decode(&encode(number, 22)), Some(number));
        }
        assert_eq!(encode(u128::from(u32::MAX), 6).len(), 6);
        assert_eq!(decode("zzzzzzzzzzzzzzzzzzzzzz"), None, "beyond a u128");
        assert_eq!(decode("é"), None);
    }

    #[test]
    fn no_character_is_drawn_more_often_than_another() {
        let drawn: Vec<char> = (0..=u8::MAX).filter_map(fair).collect();
        for character in ALPHABET.map(char::from) {
            assert_eq!(drawn.iter().filter(|one| **one == character).count(), 4, "{character}");
        }
        assert_eq!(drawn.len(), 4 * ALPHABET.len());
        assert_eq!([0, 1, 32, 100].map(|length| random(length).unwrap().len()), [0, 1, 32, 100]);
    }
}
