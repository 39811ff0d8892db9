//! What the fields of requests make of values, without a server.

use std::cell::Cell;

use tenantry_domain::{Cap, Description, EmailAddress, FieldRefusal, Input, Refusal, WorkspaceId, WorkspaceName};
use utoipa::{PartialSchema, ToSchema};

use super::{
    Clearable, Distinct, Entry, Nullable, Optional, OptionalAs, OrDefault, Request, Required, Several, request,
};

thread_local! {
    static READ: Cell<usize> = const { Cell::new(0) };
}

/// A value that counts how often one is read.
#[derive(Debug, PartialEq)]
pub(crate) struct Counted(String);

impl Input for Counted {
    type Raw = str;

    fn read(raw: &str) -> Result<Self, Refusal> {
        READ.set(READ.get() + 1);
        Ok(Self(raw.to_owned()))
    }

    fn description() -> Description {
        Description::text("")
    }
}

impl Entry for Counted {
    const NAMES: (&'static str, &'static str) = ("thing", "things");
}

request! {
    /// Every kind of field.
    #[example({ "first": "x" })]
    pub(crate) struct Everything {
        /// The first.
        first: Required<Counted>,
        second: Optional<Counted>,
        third: Nullable<Counted>,
        fourth: Clearable<Counted>,
        several: Optional<Several<Counted, 0, 2>>,
        distinct: Optional<Distinct<Counted, 1, 2>>,
        name_of_it: OptionalAs<WorkspaceName, String>,
        /// How many.
        cap: Clearable<Cap>,
        flag: OrDefault<bool>,
        spelt_so as "spelt_so": Optional<EmailAddress>,
        workspaces: Optional<Distinct<WorkspaceId, 0, 1>>,
    }
}

fn accepted(json: &str) -> Result<Everything, Vec<FieldRefusal>> {
    Everything::accept(serde_json::from_str(json).unwrap())
}

fn refused(json: &str) -> Vec<(String, &'static str)> {
    let refusals = accepted(json).err().unwrap_or_default();
    refusals.into_iter().map(|refusal| (refusal.field, refusal.code)).collect()
}

#[test]
fn a_value_is_read_once_and_moved_out() {
    READ.set(0);
    let all = accepted(
        r#"{ "first": "1", "second": "2", "third": "3", "fourth": "4", "several": ["5", "5"], "distinct": ["6"],
             "nameOfIt": " a name ", "cap": 7, "flag": true, "spelt_so": "ada@example.com", "workspaces": [] }"#,
    );
    let all = all.unwrap();
    assert_eq!(READ.get(), 7);
    assert_eq!((all.first.0.as_str(), all.second.unwrap().0.as_str(), all.third.unwrap().0.as_str()), ("1", "2", "3"));
    assert_eq!(all.fourth, Some(Some(Counted("4".to_owned()))));
    assert_eq!((all.several.unwrap().0.len(), all.distinct.unwrap().0.len()), (2, 1));
    assert_eq!((all.name_of_it.as_deref(), all.flag), (Some("a name"), true));
    assert_eq!((all.cap.flatten().map(Cap::get), all.spelt_so.is_some()), (Some(7), true));
    assert_eq!(all.workspaces.unwrap().0, []);
}

#[test]
fn what_is_left_out_or_null_is_what_the_type_says() {
    let bare = accepted(r#"{ "first": "1" }"#).unwrap();
    assert_eq!((bare.second, bare.third, bare.fourth, bare.flag), (None, None, None, false));
    let null = accepted(r#"{ "first": "1", "third": null, "fourth": null, "cap": null }"#).unwrap();
    assert_eq!((null.third, null.fourth, null.cap), (None, Some(None), Some(None)));
    let expected = ["distinct", "first", "flag", "nameOfIt", "second", "several", "spelt_so", "workspaces"];
    let nulls = expected.map(|name| format!("\"{name}\": null")).join(",");
    assert_eq!(refused(&format!("{{{nulls}}}")), expected.map(|name| (name.to_owned(), "null")));
}

#[test]
fn all_that_is_wrong_is_refused_at_once_by_its_name_on_the_wire() {
    let refusals = refused(
        r#"{ "second": 1, "fourth": {}, "several": ["1", "2", "3"], "distinct": [], "nameOfIt": "", "cap": -1,
             "flag": "true", "spelt_so": "x", "speltSo": "x", "workspaces": [1], "first ": "x", "": null }"#,
    );
    let expected = [
        ("", "unknown_field"),
        ("cap", "out_of_range"),
        ("distinct", "empty"),
        ("first", "required"),
        ("first ", "unknown_field"),
        ("flag", "wrong_type"),
        ("fourth", "wrong_type"),
        ("nameOfIt", "empty"),
        ("second", "wrong_type"),
        ("several", "too_many"),
        ("speltSo", "unknown_field"),
        ("spelt_so", "not_an_email_address"),
        ("workspaces", "wrong_type"),
    ];
    assert_eq!(refusals, expected.map(|(name, code)| (name.to_owned(), code)));
}

#[test]
fn a_schema_follows_from_the_types_of_the_fields() {
    let schema = serde_json::to_value(Everything::schema()).unwrap();
    assert_eq!(Everything::name(), "Everything");
    assert_eq!((&schema["required"], &schema["additionalProperties"]), (&["first"].into(), &false.into()));
    assert_eq!(schema["example"]["first"], "x");
    let cap = serde_json::json!({
        "type": ["integer", "null"], "format": "int64", "description": "How many. 0 to 1,000,000.",
        "minimum": 0, "maximum": 1_000_000,
    });
    assert_eq!(schema["properties"]["cap"], cap);
    assert_eq!(schema["properties"]["flag"], serde_json::json!({ "type": "boolean", "default": false }));
    assert_eq!(schema["properties"]["nameOfIt"]["maxLength"], 120);
    assert_eq!(schema["properties"]["distinct"]["minItems"], 1);
    assert_eq!(schema["properties"]["workspaces"]["items"]["format"], "uuid");
}
