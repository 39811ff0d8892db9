//! One member of a request body, or one parameter of a query, before it is known to be any good.
//!
//! Deserialising never fails on a member: absent, null and wrongly typed are states of it, and what is unknown is collected
//! by name. So validation sees all of a request and reports all that is wrong with it at once.

use std::{borrow::Cow, collections::BTreeMap, fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use tenantry_domain::{FieldRefusal, Refusal};
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

/// A member that is asked for as a `T`.
#[derive(Debug, Default)]
pub(crate) enum Member<T> {
    /// The request does not have it.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// A value of the type asked for.
    Value(T),
    /// A value of another type: this one.
    Wrong(&'static str),
}

/// What a JSON value can be asked for as.
pub(crate) trait Wanted: Sized {
    /// In words, for the refusal of another type.
    const WORDS: &'static str;
    fn from_str(_: &str) -> Option<Self> {
        None
    }
    fn from_bool(_: bool) -> Option<Self> {
        None
    }
    fn from_i64(_: i64) -> Option<Self> {
        None
    }
    fn from_list(_: Vec<Member<String>>) -> Option<Self> {
        None
    }
}

impl Wanted for String {
    const WORDS: &'static str = "a string";
    fn from_str(value: &str) -> Option<Self> {
        Some(value.to_owned())
    }
}

impl Wanted for bool {
    const WORDS: &'static str = "true or false";
    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl Wanted for i64 {
    const WORDS: &'static str = "a whole number";
    fn from_i64(value: i64) -> Option<Self> {
        Some(value)
    }
}

impl Wanted for Vec<Member<String>> {
    const WORDS: &'static str = "a list of strings";
    fn from_list(values: Vec<Member<String>>) -> Option<Self> {
        Some(values)
    }
}

impl<'de, T: Wanted> Deserialize<'de> for Member<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MemberVisitor(std::marker::PhantomData))
    }
}

/// `validator` keeps a copy of every refused value in its error. Ours keep nothing: a refusal says what it needs to.
impl<T> Serialize for Member<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

struct MemberVisitor<T>(std::marker::PhantomData<fn() -> T>);

impl<'de, T: Wanted> Visitor<'de> for MemberVisitor<T> {
    type Value = Member<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Member<T>, E> {
        Ok(Member::Null)
    }

    fn visit_none<E>(self) -> Result<Member<T>, E> {
        Ok(Member::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Member<T>, D::Error> {
        Member::deserialize(deserializer)
    }

    fn visit_str<E>(self, value: &str) -> Result<Member<T>, E> {
        Ok(T::from_str(value).map_or(Member::Wrong("a string"), Member::Value))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Member<T>, E> {
        Ok(T::from_bool(value).map_or(Member::Wrong("a boolean"), Member::Value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Member<T>, E> {
        Ok(T::from_i64(value).map_or(Member::Wrong("a number"), Member::Value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Member<T>, E> {
        Ok(i64::try_from(value).ok().and_then(T::from_i64).map_or(Member::Wrong("a number"), Member::Value))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Member<T>, E> {
        Ok(Member::Wrong("a number"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Member<T>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element::<Member<String>>()? {
            values.push(value);
        }
        Ok(T::from_list(values).map_or(Member::Wrong("a list"), Member::Value))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Member<T>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Member::Wrong("an object"))
    }
}

impl<T: Wanted> Member<T> {
    fn value(&self) -> Result<Option<&T>, Refusal> {
        match self {
            Self::Absent | Self::Null => Ok(None),
            Self::Value(value) => Ok(Some(value)),
            Self::Wrong(found) => Err(Refusal::new("wrong_type", format!("must be {}, this is {found}", T::WORDS))),
        }
    }

    /// The value of a member that must not be null where it is there.
    pub(crate) fn plain(&self) -> Result<Option<&T>, Refusal> {
        match self {
            Self::Null => Err(Refusal::new("null", "must not be null (leave it out instead)")),
            other => other.value(),
        }
    }
}

impl Member<String> {
    /// The member as a `V`: `None` where it is absent.
    pub(crate) fn parse<V: FromStr<Err = Refusal>>(&self) -> Result<Option<V>, Refusal> {
        self.plain()?.map(|raw| raw.parse()).transpose()
    }

    /// The member as a `V`, which must be there.
    pub(crate) fn required<V: FromStr<Err = Refusal>>(&self) -> Result<V, Refusal> {
        match self {
            Self::Absent => Err(Refusal::new("required", "is required")),
            Self::Null => Err(Refusal::new("null", "is required and must not be null")),
            other => other.parse()?.ok_or_else(|| Refusal::new("required", "is required")),
        }
    }

    /// The member as a change of a `V` that can be cleared: `None` where it is absent, `Some(None)` where it is null.
    pub(crate) fn clearable<V: FromStr<Err = Refusal>>(&self) -> Result<Option<Option<V>>, Refusal> {
        match self {
            Self::Absent => Ok(None),
            other => other.value()?.map(|raw| raw.parse()).transpose().map(Some).map_err(or_null),
        }
    }
}

impl Member<i64> {
    /// The member as a `V`: `None` where it is absent.
    pub(crate) fn number<V: TryFrom<i64, Error = Refusal>>(&self) -> Result<Option<V>, Refusal> {
        self.plain()?.map(|number| V::try_from(*number)).transpose()
    }

    /// The member as a `V`: `None` where it is absent, `Some(None)` where it is null.
    pub(crate) fn clearable_number<V: TryFrom<i64, Error = Refusal>>(&self) -> Result<Option<Option<V>>, Refusal> {
        match self {
            Self::Null => Ok(Some(None)),
            other => Ok(other.number()?.map(Some)),
        }
    }

    /// [`Member::number`], with the member's name in the refusal.
    pub(crate) fn number_as<V: TryFrom<i64, Error = Refusal>>(&self, name: &str) -> Result<Option<V>, FieldRefusal> {
        self.number().map_err(|refusal| refusal.of(name))
    }

    /// [`Member::clearable_number`], with the member's name in the refusal.
    pub(crate) fn clearable_number_as<V: TryFrom<i64, Error = Refusal>>(
        &self,
        name: &str,
    ) -> Result<Option<Option<V>>, FieldRefusal> {
        self.clearable_number().map_err(|refusal| refusal.of(name))
    }
}

/// The refusal of a value that leaves nothing, with the way to have nothing.
fn or_null(mut refusal: Refusal) -> Refusal {
    if matches!(refusal.code, "empty" | "nothing_left") {
        refusal.message.push_str(" (null clears it)");
    }
    refusal
}

impl Member<String> {
    /// [`Member::parse`], with the member's name in the refusal.
    pub(crate) fn parse_as<V: FromStr<Err = Refusal>>(&self, name: &str) -> Result<Option<V>, FieldRefusal> {
        self.parse().map_err(|refusal| refusal.of(name))
    }

    /// [`Member::clearable`], with the member's name in the refusal.
    pub(crate) fn clearable_as<V: FromStr<Err = Refusal>>(
        &self,
        name: &str,
    ) -> Result<Option<Option<V>>, FieldRefusal> {
        self.clearable().map_err(|refusal| refusal.of(name))
    }
}

/// For `#[validate(custom)]`: the member must be there and good.
pub(crate) fn check_required<V: FromStr<Err = Refusal>>(member: &Member<String>) -> Result<(), ValidationError> {
    member.required::<V>().map(drop).map_err(invalid)
}

/// For `#[validate(custom)]`: the member may be absent, else it must be good.
pub(crate) fn check_optional<V: FromStr<Err = Refusal>>(member: &Member<String>) -> Result<(), ValidationError> {
    member.parse::<V>().map(drop).map_err(invalid)
}

/// For `#[validate(custom)]`: the member may be absent or null, else it must be good.
pub(crate) fn check_clearable<V: FromStr<Err = Refusal>>(member: &Member<String>) -> Result<(), ValidationError> {
    member.clearable::<V>().map(drop).map_err(invalid)
}

/// For `#[validate(custom)]`: the member may be absent, else it must be a good number.
pub(crate) fn check_number<V: TryFrom<i64, Error = Refusal>>(member: &Member<i64>) -> Result<(), ValidationError> {
    check_each(member.number::<V>())
}

/// For `#[validate(custom)]`: the member may be absent or null, else it must be a good number.
pub(crate) fn check_clearable_number<V: TryFrom<i64, Error = Refusal>>(
    member: &Member<i64>,
) -> Result<(), ValidationError> {
    check_each(member.clearable_number::<V>())
}

/// For `#[validate(custom)]`: any check of the domain.
pub(crate) fn check_each<T>(outcome: Result<T, Refusal>) -> Result<(), ValidationError> {
    outcome.map(drop).map_err(invalid)
}

fn invalid(refusal: Refusal) -> ValidationError {
    ValidationError::new(refusal.code).with_message(Cow::Owned(refusal.message))
}

/// The members that a request must not have, by name.
#[derive(Debug, Default)]
pub(crate) struct Unknown(BTreeMap<String, IgnoredAny>);

const UNKNOWN: &str = "unknown_field";

/// How many unknown members a refusal names. Who sends more has sent something else altogether.
const NAMED: usize = 20;

impl Unknown {
    /// For `#[validate(custom)]`: there must be none.
    pub(crate) fn check(&self) -> Result<(), ValidationError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut error = ValidationError::new(UNKNOWN);
        error.add_param(Cow::Borrowed("names"), &self.0.keys().take(NAMED).collect::<Vec<_>>());
        error.add_param(Cow::Borrowed("more"), &self.0.len().saturating_sub(NAMED));
        Err(error)
    }
}

impl Serialize for Unknown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Unknown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self).map_err(D::Error::custom)
    }
}

/// What the `validator` derive found, in the words of the domain: every field by its name on the wire, in order.
pub(crate) fn refusals(errors: &ValidationErrors) -> Vec<FieldRefusal> {
    let mut refusals = Vec::new();
    for (field, kind) in errors.errors() {
        let ValidationErrorsKind::Field(errors) = kind else { continue };
        for error in errors {
            match error.params.get("names").and_then(|names| names.as_array()) {
                Some(names) if error.code == UNKNOWN => {
                    let message = match error.params.get("more").and_then(|more| more.as_u64()) {
                        Some(more @ 1..) => format!("is not known here, and neither are {more} that are not listed"),
                        _ => "is not known here (check its spelling)".to_owned(),
                    };
                    refusals.extend(names.iter().filter_map(|name| name.as_str()).map(|name| {
                        let name: String = name.chars().take(100).collect();
                        Refusal::new(UNKNOWN, message.clone()).of(name)
                    }));
                }
                _ => refusals.push(FieldRefusal {
                    field: camel_case(field),
                    // `validator` keeps codes as text that may be owned; ours never are.
                    code: if let Cow::Borrowed(code) = error.code { code } else { "invalid" },
                    message: error.message.as_deref().unwrap_or("is not valid").to_owned(),
                }),
            }
        }
    }
    refusals.sort_by(|a, b| a.field.cmp(&b.field));
    refusals
}

pub(crate) fn camel_case(field: &str) -> String {
    let mut name = String::with_capacity(field.len());
    let mut upper = false;
    for c in field.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                name.extend(c.to_uppercase());
                upper = false;
            }
            c => name.push(c),
        }
    }
    name
}
