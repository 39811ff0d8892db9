//! Where a claim stands: by its name, or inside an object.
//!
//! Names of claims contain dots and slashes (`https://example.com/tenant_id`, `extn.tenant_id`), so a name is first tried as it is.
//! Only if the token has no such claim, it is read as a JSON pointer (`/app_metadata/tenant_id`, RFC 6901) or as a path with dots
//! (`app_metadata.tenant_id`).

use serde_json::{Map, Value};

/// The name of a claim, as the settings have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClaimName {
    literal: String,
    /// The claim that it begins in, and where inside of that.
    inside: Option<(String, String)>,
}

impl ClaimName {
    pub(crate) fn new(name: &str) -> Self {
        let segments: Vec<String> = match name.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect(),
            None => name.split('.').map(str::to_owned).collect(),
        };
        let inside = match &segments[..] {
            [first, rest @ ..]
                if !segments.iter().any(String::is_empty) && (!rest.is_empty() || name.starts_with('/')) =>
            {
                let pointer = rest.iter().map(|one| format!("/{}", one.replace('~', "~0").replace('/', "~1")));
                Some((first.clone(), pointer.collect()))
            }
            _ => None,
        };
        Self { literal: name.to_owned(), inside }
    }

    /// The claim that it begins in, if it is not the claim itself.
    pub(crate) fn root(&self) -> &str {
        self.inside.as_ref().map_or(&self.literal, |(root, _)| root)
    }

    pub(crate) fn find<'a>(&self, payload: &'a Map<String, Value>) -> Option<&'a Value> {
        payload.get(&self.literal).or_else(|| {
            let (root, pointer) = self.inside.as_ref()?;
            payload.get(root)?.pointer(pointer)
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(name: &str, payload: Value) -> Value {
        ClaimName::new(name).find(payload.as_object().unwrap()).cloned().unwrap_or_default()
    }

    #[test]
    fn a_name_is_tried_as_it_is_and_then_as_a_path() {
        for name in ["a.b", "https://example.com/a", "custom:a", "/a/b", "a..b", ".", "/", "a.", ".a", "a~1b"] {
            assert_eq!(found(name, json!({ name: 1 })), 1, "{name}");
        }
        for name in ["a.b", "/a/b"] {
            assert_eq!(found(name, json!({ "a": { "b": 1 } })), 1, "{name}");
            assert_eq!(found(name, json!({ "a": { "b": 1 }, name: 2 })), 2, "as it is comes first");
            for missing in [json!({ "a": 1 }), json!({ "a": { "c": 1 } }), json!({ "a": ["b"] }), json!({ "b": 1 })] {
                assert_eq!(found(name, missing), Value::Null, "{name}");
            }
        }
        assert_eq!(found("/a", json!({ "a": 1 })), 1);
        assert_eq!(found("a.b.c", json!({ "a": { "b": { "c": 1 } } })), 1);
        assert_eq!(found("a.b.c", json!({ "a": { "b.c": 1 } })), Value::Null, "each dot is a step");
        assert_eq!(found("/a/b.c", json!({ "a": { "b.c": 1 } })), 1);
        assert_eq!(found("/https:~1~1example.com~1a/b~0c", json!({ "https://example.com/a": { "b~c": 1 } })), 1);
        assert_eq!(found("a", json!({ "A": 1 })), Value::Null);
        for (odd, payload) in [
            ("a..b", json!({ "a": { "": { "b": 1 } } })),
            ("a.", json!({ "a": { "": 1 } })),
            (".a", json!({ "": { "a": 1 } })),
            ("/a/", json!({ "a": { "": 1 } })),
            ("/", json!({ "": 1 })),
        ] {
            assert_eq!(found(odd, payload), Value::Null, "{odd} is no path");
        }
        for (name, root) in [("a", "a"), ("a.b", "a"), ("/a/b", "a"), ("/a", "a"), ("a..b", "a..b"), ("x:a", "x:a")] {
            assert_eq!(ClaimName::new(name).root(), root);
        }
    }
}
