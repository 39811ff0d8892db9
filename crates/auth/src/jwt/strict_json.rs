//! JSON that can be read in one way only: no member twice, however its name is written, and no depth without end.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

/// How deep objects and lists may stand in each other.
const MAX_DEPTH: usize = 16;

/// The object that these bytes are. Two readers that treat a repeated member differently would see two tokens (RFC 8725,
/// section 2.4), so that such an object is none.
pub(crate) fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: MAX_DEPTH }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("too deep"))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let (inner, mut list) = (self.inner()?, Vec::new());
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let (inner, mut object) = (self.inner()?, Map::new());
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(inner)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member twice"));
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_comes_back_as_it_is() {
        let value = json!({ "a": [1, -2, 2.5, "é\n", null, true, { "b": {} }], "c": u64::MAX });
        assert_eq!(object(value.to_string().as_bytes()).map(Value::Object), Some(value));
    }

    #[test]
    fn a_member_twice_is_refused_at_every_depth_and_in_every_spelling() {
        for twice in
            [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"{"x":[{"a":1,"a":2}]}"#, r#"{"x":{"a":1,"b":2,"a":1}}"#]
        {
            assert_eq!(object(twice.as_bytes()), None, "{twice}");
        }
    }

    #[test]
    fn only_one_whole_utf8_object_is_read() {
        let nested = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        assert!(object(nested(MAX_DEPTH).as_bytes()).is_some());
        let mut wrong: Vec<Vec<u8>> =
            ["", "1", "[]", "null", "{} {}", "{", "{'a':1}", r#"{"a":1,}"#, r#"{"a":1e400}"#, "\u{feff}{}"]
                .map(|text| text.as_bytes().to_vec())
                .to_vec();
        wrong.push(nested(MAX_DEPTH + 1).into_bytes());
        wrong.push(b"{\"a\":\"\xff\"}".to_vec());
        wrong.push(br#"{"a":"\ud800"}"#.to_vec());
        wrong.push("{}".encode_utf16().flat_map(u16::to_le_bytes).collect());
        for wrong in wrong {
            assert_eq!(object(&wrong), None, "{}", String::from_utf8_lossy(&wrong));
        }
    }
}
