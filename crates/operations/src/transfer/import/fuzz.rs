//! Files that no export wrote: reading one ends, with the line that is wrong.

use std::io::Write;

use chrono::Utc;
use proptest::prelude::*;
use serde_json::{Value, json};
use tenantry_domain::{Error, TenantId};
use tenantry_persistence::LastNumbers;
use uuid::Uuid;

use super::{Line, Lines, Target};

fn file(bytes: &[u8]) -> std::fs::File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// A line of each kind that is stored, as an export writes it.
fn lines() -> Vec<Value> {
    let (id, at) = ("0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48", "2026-01-20T10:00:00Z");
    vec![
        json!({ "type": "brand", "id": id, "name": "Acme", "slug": "acme", "isDefault": true, "emailFromName": "Acme",
                "emailSignatureHtml": "<p>x</p>", "version": 1, "createdAt": at, "updatedAt": at }),
        json!({ "type": "workspace", "id": id, "number": 1, "brandId": id, "name": "DACH", "country": "DE",
                "operatingLanguage": "de", "currency": "EUR", "workspaceType": "b2b", "timeZone": "UTC", "limitsVersion": 1,
                "version": 1, "createdAt": at, "updatedAt": at, "deletedAt": at, "maxMembers": 5 }),
        json!({ "type": "integration", "workspaceId": id, "provider": "twilio", "plain": "AC0123456789abcdef0123456789abcdef",
                "verificationStatus": "unverified", "version": 1, "updatedAt": at }),
        json!({ "type": "agent", "id": id, "workspaceId": id, "name": "Ada", "status": "active", "version": 1, "createdAt": at,
                "updatedAt": at }),
        json!({ "type": "usage_entry", "id": id, "workspaceId": id, "kind": "usage", "seconds": 5, "usedAt": at,
                "month": "2026-01", "reference": "x", "createdAt": at }),
        json!({ "type": "invitation", "id": id, "email": "ada@example.com", "role": "agent", "expiresAt": at, "version": 1,
                "createdAt": at, "updatedAt": at, "slots": [{ "number": 1, "workspaceId": id }] }),
    ]
}

/// What stands in the place of another value.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[+-]?[0-9]{1,6}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z".prop_map(Value::from),
        Just(json!([])),
        Just(json!({ "a": [{}] })),
    ]
}

/// Whether the line would be stored; reading it must end either way.
fn is_read(line: Line) -> bool {
    let id = TenantId::from_uuid(Uuid::nil());
    let target = Target { tenant_id: id, last: LastNumbers { workspace: 1, slot: 1 }, now: Utc::now(), sealed: false };
    line.reads(target)
}

proptest! {
    #[test]
    fn any_file_ends_or_has_a_line_that_is_wrong(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            "(\\{\"type\":\"(export|brand|end)\"(,\"lines\":[0-9]{1,20})?\\}\n?){0,4}[ -~\n]{0,40}".prop_map(String::into_bytes),
        ]
    ) {
        let file = file(&bytes);
        let mut lines = Lines::of(&file).unwrap();
        let header = lines.header();
        prop_assert!(matches!(header, Err(Error::Invalid(_))));
        for _ in 0..bytes.len() + 2 {
            match lines.next(TenantId::from_uuid(Uuid::nil()), None) {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(Error::Invalid(refused)) => {
                    prop_assert!(refused[0].field.starts_with("line "), "{refused:?}");
                    break;
                }
                Err(error) => return Err(TestCaseError::fail(format!("{error:?}"))),
            }
        }
    }

    #[test]
    fn any_value_in_any_field_is_taken_or_refused(kind in 0_usize..6, field in 0_usize..20, value in value()) {
        let mut line = lines().swap_remove(kind);
        prop_assert!(serde_json::from_value(line.clone()).is_ok_and(is_read), "{line}");
        let fields = line.as_object_mut().unwrap();
        let name = fields.keys().nth(field % fields.len()).unwrap().clone();
        fields.insert(name.clone(), value.clone());
        let read = serde_json::from_value(line).is_ok_and(is_read);
        if read && name.ends_with("At") && value.is_string() {
            let time: chrono::DateTime<Utc> = value.as_str().unwrap().parse().unwrap();
            prop_assert!(time < Utc::now() + chrono::TimeDelta::days(31), "{name} {value}");
        }
    }
}
