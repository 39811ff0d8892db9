//! How deep and wide a JSON text is, counted without reading it as anything: what is beyond the bounds is not worth parsing.

use tenantry_domain::Error;

use crate::error::Failure;

/// How deep objects and lists may stand in each other.
const MAX_DEPTH: usize = 16;

/// The most fields of one object. The largest request of the API has fourteen.
const MAX_FIELDS: usize = 100;

/// The most values in all. The longest list of the API has a hundred items.
const MAX_VALUES: usize = 1_000;

/// Refuses what is too deep or too wide. What is no JSON at all is left to the parser.
pub(super) fn check(json: &[u8]) -> Result<(), Failure> {
    let (mut fields, mut depth, mut values) = ([0_usize; MAX_DEPTH + 1], 0, 0);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'{' | b'[' => {
                depth += 1;
                values += 1;
                let Some(fields) = fields.get_mut(depth) else {
                    return Err(too_complex(&format!("is more than {MAX_DEPTH} levels deep")));
                };
                *fields = 0;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            b':' => {
                fields[depth] += 1;
                if fields[depth] > MAX_FIELDS {
                    return Err(too_complex(&format!("has an object with more than {MAX_FIELDS} fields")));
                }
            }
            _ => {}
        }
        if values > MAX_VALUES {
            return Err(too_complex(&format!("has more than {MAX_VALUES} values")));
        }
    }
    Ok(())
}

/// Goes on behind the string that has begun.
fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => return,
            _ => {}
        }
    }
}

/// The body is JSON that nobody needs for this API.
pub(crate) fn too_complex(how: &str) -> Failure {
    Error::Unreadable { code: "body_too_complex", message: format!("The body {how}. No request needs that.") }.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Depth, the most fields of an object, and a count of values that no text of them goes below.
    fn measured(value: &Value) -> (usize, usize, usize) {
        let inner = |values: &mut dyn Iterator<Item = &Value>, own: usize| {
            values.map(measured).fold(
                (0, own, 0),
                |(depth, fields, count): (usize, usize, usize), (inner, own, more)| {
                    (depth.max(inner), fields.max(own), count + more)
                },
            )
        };
        let (depth, fields, count) = match value {
            Value::Array(list) => inner(&mut list.iter(), 0),
            Value::Object(object) => inner(&mut object.values(), object.len()),
            _ => return (0, 0, 1),
        };
        (depth + 1, fields, count + 1)
    }

    fn json() -> impl Strategy<Value = Value> {
        let text = "[a-z\\\\\"{}\\[\\]:,é ]{0,6}";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.prop_map(Value::from)
        ];
        leaf.prop_recursive(20, 300, 8, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                proptest::collection::hash_map(text, inner, 0..8).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_within_the_bounds_is_taken(value in json()) {
            let (depth, fields, count) = measured(&value);
            let within = check(value.to_string().as_bytes()).is_ok();
            prop_assert!(!within || (depth <= MAX_DEPTH && fields <= MAX_FIELDS));
            // Commas and brackets are counted: an empty list counts one, as a value and its own bracket do together.
            prop_assert!(within || depth > MAX_DEPTH || fields > MAX_FIELDS || count * 2 > MAX_VALUES);
        }

        #[test]
        fn no_bytes_are_too_much(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = check(&bytes);
        }
    }

    #[test]
    fn each_bound_is_exact() {
        let nested = |depth: usize| format!("{}1{}", r#"{"a":["#.repeat(depth / 2), "]}".repeat(depth / 2));
        let wide = |count: usize| {
            let fields: Vec<_> = (0..count).map(|at| format!("\"{at}\":0")).collect();
            format!("{{{}}}", fields.join(","))
        };
        let list = |count: usize| format!("[{}0]", "0,".repeat(count - 2));
        for (good, bad) in [
            (nested(MAX_DEPTH), nested(MAX_DEPTH + 2)),
            (wide(MAX_FIELDS), wide(MAX_FIELDS + 1)),
            (list(MAX_VALUES + 1), list(MAX_VALUES + 2)),
        ] {
            assert!(check(good.as_bytes()).is_ok(), "{good:.80}");
            assert_eq!(check(bad.as_bytes()).unwrap_err().code(), "body_too_complex", "{bad:.80}");
        }
        let text = format!(r#"{{"a":"{}\"{}"}}"#, "[".repeat(5_000), ",:".repeat(5_000));
        assert!(check(text.as_bytes()).is_ok(), "what stands in a string is text");
        for broken in ["]]]]", "\"", "\"\\", "{\"a\":\"\\\\\\", ""] {
            assert!(check(broken.as_bytes()).is_ok(), "{broken}");
        }
    }
}
