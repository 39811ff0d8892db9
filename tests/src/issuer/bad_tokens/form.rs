//! What only looks like a token, and JSON that two readers read differently.

use base64::{Engine, engine::general_purpose};
use serde_json::{Value, json};

use super::Named;
use crate::issuer::{Draft, Trio, encoded};

pub(super) fn all(trio: &Trio) -> Named {
    let draft = trio.issuer.draft("es");
    let mut bad = whole(&draft);
    bad.extend(base64(&draft));
    bad.extend(json_texts(&draft));
    bad.extend(members_twice(&draft));
    bad
}

fn whole(draft: &Draft) -> Named {
    let good = draft.token();
    let parts: Vec<&str> = good.split('.').collect();
    let serialised = json!({ "protected": parts[0], "payload": parts[1], "signature": parts[2] });
    [
        ("nothing but dots", "..".to_owned()),
        ("ten thousand dots", ".".repeat(10_000)),
        ("a thousand dots", ".".repeat(1_000)),
        ("one part", parts[0].to_owned()),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("two parts and a dot", format!("{}.{}.", parts[0], parts[1])),
        ("four parts", format!("{good}.{}", parts[2])),
        ("five parts", format!("{good}.{}.{}", parts[1], parts[2])),
        ("a dot before", format!(".{good}")),
        ("a dot behind", format!("{good}.")),
        ("an empty payload", draft.parts(parts[0], "")),
        ("an empty header", draft.parts("", parts[1])),
        ("the JSON serialisation", serialised.to_string()),
        ("a word", "token".to_owned()),
    ]
    .map(|(name, token)| (name.to_owned(), token))
    .to_vec()
}

fn base64(draft: &Draft) -> Named {
    let (header, payload) = (encoded(draft.header_json()), encoded(draft.payload_json()));
    let mut bad: Named = Vec::new();
    let mut add = |name: &str, token: String| bad.push((name.to_owned(), token));
    for (name, part) in [("header", 0), ("payload", 1)] {
        let changed = |change: &dyn Fn(&str) -> String| match part {
            0 => draft.parts(&change(&header), &payload),
            _ => draft.parts(&header, &change(&payload)),
        };
        add(&format!("padding in the {name}"), changed(&|part| format!("{part}=")));
        add(&format!("a space in the {name}"), changed(&|part| format!("{} {}", &part[..8], &part[8..])));
        add(&format!("a character of no alphabet in the {name}"), changed(&|part| format!("{part}!")));
    }
    // One, two and three bytes more, so that each number of spare bits occurs.
    for filling in ["x", "xx", "xxx"] {
        let filled = draft.clone().header("f", filling).claim("f", filling);
        let (header, payload) = (encoded(filled.header_json()), encoded(filled.payload_json()));
        for (name, changed) in [("header", loosened(&header)), ("payload", loosened(&payload))] {
            if let Some(changed) = changed {
                let token =
                    if name == "header" { draft.parts(&changed, &payload) } else { draft.parts(&header, &changed) };
                add(&format!("bits left over in the {name}, {filling}"), token);
            }
        }
    }
    // A question mark three times over has a slash in one alphabet and an underscore in the other.
    let odd = draft.clone().claim("odd", "???>>>???>>>");
    let standard = general_purpose::STANDARD_NO_PAD.encode(odd.payload_json());
    if standard.contains(['+', '/']) {
        add("the other alphabet", draft.parts(&header, &standard));
    }
    let good = draft.token();
    add("padding behind the signature", format!("{good}=="));
    add("bits left over in the signature", {
        let (message, signature) = good.rsplit_once('.').unwrap();
        format!("{message}.{}", loosened(signature).expect("64 bytes leave bits over"))
    });
    bad
}

/// The same bytes for a careless reader: the bits that no byte needs are set.
fn loosened(part: &str) -> Option<String> {
    let last = part.chars().last()?;
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let next = alphabet.chars().nth(alphabet.find(last)? + 1)?;
    (!part.len().is_multiple_of(4)).then(|| format!("{}{next}", &part[..part.len() - 1]))
}

fn json_texts(draft: &Draft) -> Named {
    let (header, payload) = (draft.header_json(), draft.payload_json());
    let deep = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let invalid = |text: &str| [text.trim_end_matches('}').as_bytes(), b",\"x\":\"\xff\"}"].concat();
    let mut bad: Named = Vec::new();
    let mut add = |name: &str, token: String| bad.push((name.to_owned(), token));
    add("the payload is invalid UTF-8", draft.raw(&header, invalid(&payload)));
    add("the header is invalid UTF-8", draft.raw(invalid(&header), &payload));
    add("the payload is UTF-16", draft.raw(&header, utf16(&payload)));
    add("the header is UTF-16", draft.raw(utf16(&header), &payload));
    add("the payload has a byte order mark", draft.raw(&header, format!("\u{feff}{payload}")));
    add("the header has a byte order mark", draft.raw(format!("\u{feff}{header}"), &payload));
    for other in ["[]", "null", "\"text\"", "7", "", "{", "{}{}"] {
        add(&format!("the payload is {other:?}"), draft.raw(&header, other));
        add(&format!("the header is {other:?}"), draft.raw(other, &payload));
    }
    add("the payload is in a list", draft.raw(&header, format!("[{payload}]")));
    add("something behind the payload", draft.raw(&header, format!("{payload}{{}}")));
    add("something behind the header", draft.raw(format!("{header} x"), &payload));
    add("a lone surrogate", draft.raw(&header, payload.replace("somebody", "some\\ud800body")));
    add("a comment in the payload", draft.raw(&header, payload.replacen('{', "{/**/", 1)));
    for depth in [20, 100, 127, 1_000] {
        let nested = |name: &str| Value::String(name.to_owned());
        let text = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let with = |json: &str| json.replacen('{', &format!("{{{}:{text},", nested("deep")), 1);
        add(&format!("the payload is {depth} deep"), draft.raw(&header, with(&payload)));
        add(&format!("the header is {depth} deep"), draft.raw(with(&header), &payload));
    }
    add("a claim that is 20 deep", draft.clone().claim("deep", deep(20)).token());
    bad
}

/// A reader that takes the first and one that takes the last see different tokens.
fn members_twice(draft: &Draft) -> Named {
    let (header, payload) = (draft.header_json(), draft.payload_json());
    let mut bad: Named = Vec::new();
    let payload_with_tenant = draft.clone().claim("tenant_id", "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48").payload_json();
    for (json, names) in [
        (&header, ["alg", "kid", "typ"].as_slice()),
        (&payload_with_tenant, &["exp", "iss", "aud", "sub", "tenant_id", "iat"]),
    ] {
        let members: Value = serde_json::from_str(json).unwrap();
        for name in names {
            let escaped = format!("\\u{:04x}{}", u32::from(name.as_bytes()[0]), &name[1..]);
            for (how, spelt) in [("", (*name).to_owned()), (", escaped", escaped)] {
                for (which, value) in [("the same", members[*name].clone()), ("another", json!("bad"))] {
                    let first = json.replacen('{', &format!("{{\"{spelt}\":{value},"), 1);
                    let last = format!("{},\"{spelt}\":{value}}}", json.trim_end_matches('}'));
                    for (place, changed) in [("first", first), ("last", last)] {
                        let token =
                            if *json == header { draft.raw(changed, &payload) } else { draft.raw(&header, changed) };
                        bad.push((format!("{name} twice{how}, {which} {place}"), token));
                    }
                }
            }
        }
    }
    bad
}
