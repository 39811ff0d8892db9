//! What a request gives for one field, read once: the value, or why it is refused.
//!
//! Deserialising never fails on a field: absent, null and wrongly typed are states of it. So validation sees all of a request and
//! reports all that is wrong with it at once.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use tenantry_domain::{Description, Input, KeyScope, Refusal, WorkspaceId};
use utoipa::openapi::{RefOr, Schema, schema::ArrayBuilder};

use crate::schema::{self, Named};

/// What a request gives for a field that takes a `V`.
#[derive(Debug)]
pub(crate) enum Given<V> {
    /// The field is not there.
    Absent,
    /// `null`.
    Null,
    /// A value that is accepted.
    Value(V),
    /// Something that is not.
    Refused(Refusal),
}

/// What can be read from a JSON value or a parameter. A kind of value that is not overridden here is of the wrong type.
pub(crate) trait Read: Sized {
    /// What it is read from, for the refusal of anything else.
    const WORDS: &'static str;

    fn of_text(_: &str) -> Option<Result<Self, Refusal>> {
        None
    }

    fn of_number(_: i64) -> Option<Result<Self, Refusal>> {
        None
    }

    fn of_flag(_: bool) -> Option<Result<Self, Refusal>> {
        None
    }

    fn of_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Option<Result<Self, Refusal>>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn of_object<'de, A: MapAccess<'de>>(mut object: A) -> Result<Option<Result<Self, Refusal>>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    /// Its schema, and the component that this refers to.
    fn schema() -> (RefOr<Schema>, Option<Named>);
}

/// The kinds of JSON values that an [`Input`] is read from.
pub(crate) trait Raw {
    const WORDS: &'static str;

    fn of_text(_: &str) -> Option<&Self> {
        None
    }

    fn of_number(_: &i64) -> Option<&Self> {
        None
    }

    fn of_flag(_: &bool) -> Option<&Self> {
        None
    }
}

impl Raw for str {
    const WORDS: &'static str = "a string";

    fn of_text(text: &str) -> Option<&Self> {
        Some(text)
    }
}

impl Raw for i64 {
    const WORDS: &'static str = "a whole number";

    fn of_number(number: &i64) -> Option<&Self> {
        Some(number)
    }
}

impl Raw for bool {
    const WORDS: &'static str = "true or false";

    fn of_flag(flag: &bool) -> Option<&Self> {
        Some(flag)
    }
}

impl<V: Input> Read for V
where
    V::Raw: Raw,
{
    const WORDS: &'static str = V::Raw::WORDS;

    fn of_text(text: &str) -> Option<Result<Self, Refusal>> {
        V::Raw::of_text(text).map(V::read)
    }

    fn of_number(number: i64) -> Option<Result<Self, Refusal>> {
        V::Raw::of_number(&number).map(V::read)
    }

    fn of_flag(flag: bool) -> Option<Result<Self, Refusal>> {
        V::Raw::of_flag(&flag).map(V::read)
    }

    fn schema() -> (RefOr<Schema>, Option<Named>) {
        schema::of_value(&V::description())
    }
}

/// A value as text, in a query, where everything is text.
#[derive(Debug, Default)]
pub(crate) struct Written<V>(pub(crate) V);

impl<V: Input + FromStr<Err = Refusal>> Input for Written<V> {
    type Raw = str;

    fn read(raw: &str) -> Result<Self, Refusal> {
        raw.parse().map(Self)
    }

    fn description() -> Description {
        V::description()
    }
}

impl<V: fmt::Display> fmt::Display for Written<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `true` or `false`, in a query.
#[derive(Debug)]
pub(crate) struct Flag(bool);

impl From<Flag> for bool {
    fn from(flag: Flag) -> Self {
        flag.0
    }
}

impl Input for Flag {
    type Raw = str;

    fn read(raw: &str) -> Result<Self, Refusal> {
        raw.parse().map(Self).map_err(|_| Refusal::new("not_a_choice", "must be true or false"))
    }

    fn description() -> Description {
        Description::flag()
    }
}

/// Text that means something elsewhere, and is judged there.
#[derive(Debug)]
pub(crate) struct Verbatim(pub(crate) String);

impl Input for Verbatim {
    type Raw = str;

    fn read(raw: &str) -> Result<Self, Refusal> {
        Ok(Self(raw.to_owned()))
    }

    fn description() -> Description {
        Description::text("")
    }
}

/// What stands in a list, as messages name it: one, and several.
pub(crate) trait Entry: Read {
    const NAMES: (&'static str, &'static str);
    /// What a list of them is read from.
    const LIST: &'static str = "a list of strings";

    /// The refusal of the one at this position, from 1.
    fn at(_: usize, refusal: Refusal) -> Refusal {
        refusal
    }
}

impl Entry for KeyScope {
    const NAMES: (&'static str, &'static str) = ("scope", "scopes");
}

impl Entry for WorkspaceId {
    const NAMES: (&'static str, &'static str) = ("workspace", "workspaces");
}

/// A list of `MIN` to `MAX` different values. A value that is there twice counts once.
#[derive(Debug)]
pub(crate) struct Distinct<V, const MIN: usize, const MAX: usize>(pub(crate) Vec<V>);

/// A list of `MIN` to `MAX` values.
#[derive(Debug)]
pub(crate) struct Several<V, const MIN: usize, const MAX: usize>(pub(crate) Vec<V>);

impl<V, const MIN: usize, const MAX: usize> Default for Distinct<V, MIN, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V: Entry + PartialEq, const MIN: usize, const MAX: usize> Read for Distinct<V, MIN, MAX> {
    const WORDS: &'static str = V::LIST;

    fn of_list<'de, A: SeqAccess<'de>>(list: A) -> Result<Option<Result<Self, Refusal>>, A::Error> {
        let distinct = |values: Vec<V>| {
            let once = |mut kept: Vec<V>, value| {
                if !kept.contains(&value) {
                    kept.push(value);
                }
                kept
            };
            Self(values.into_iter().fold(Vec::new(), once))
        };
        Ok(Some(collect(list, MIN, MAX)?.map(distinct)))
    }

    fn schema() -> (RefOr<Schema>, Option<Named>) {
        list_of::<V>(MIN, MAX)
    }
}

impl<V: Entry, const MIN: usize, const MAX: usize> Read for Several<V, MIN, MAX> {
    const WORDS: &'static str = V::LIST;

    fn of_list<'de, A: SeqAccess<'de>>(list: A) -> Result<Option<Result<Self, Refusal>>, A::Error> {
        Ok(Some(collect(list, MIN, MAX)?.map(Self)))
    }

    fn schema() -> (RefOr<Schema>, Option<Named>) {
        list_of::<V>(MIN, MAX)
    }
}

/// All values of a list, or the first refusal. Values beyond the most are counted and not read.
fn collect<'de, V: Entry, A: SeqAccess<'de>>(
    mut list: A,
    min: usize,
    max: usize,
) -> Result<Result<Vec<V>, Refusal>, A::Error> {
    let (mut values, mut count) = (Ok(Vec::new()), 0);
    while let Ok(read) = &mut values
        && count < max
    {
        let Some(given) = list.next_element::<Given<V>>()? else { break };
        count += 1;
        match given.required() {
            Ok(value) => read.push(value),
            Err(refusal) => values = Err(V::at(count, refusal)),
        }
    }
    while list.next_element::<IgnoredAny>()?.is_some() {
        count += 1;
    }
    let (one, many) = V::NAMES;
    Ok(match count {
        n if n < min => Err(Refusal::new("empty", format!("must contain at least one {one}"))),
        n if n > max => Err(Refusal::new("too_many", format!("must contain at most {max} {many}, not {n}"))),
        _ => values,
    })
}

fn list_of<V: Entry>(min: usize, max: usize) -> (RefOr<Schema>, Option<Named>) {
    let (one, many) = V::NAMES;
    let text = match (min, max) {
        (0, max) => format!("At most {max} {many}."),
        (_, usize::MAX) => format!("At least one {one}."),
        (min, max) => format!("{min} to {max} {many}."),
    };
    let (items, component) = V::schema();
    let list = ArrayBuilder::new().items(items).description(Some(text));
    let list = list.min_items(Some(min).filter(|min| *min > 0)).max_items(Some(max).filter(|max| *max < usize::MAX));
    (list.into(), component)
}

impl<V> Given<V> {
    /// The value, which must be there.
    pub(crate) fn required(self) -> Result<V, Refusal> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Absent => Err(Refusal::new("required", "is required")),
            Self::Null => Err(Refusal::new("null", "is required and must not be null")),
            Self::Refused(refusal) => Err(refusal),
        }
    }

    /// The value, which may be absent.
    pub(crate) fn optional(self) -> Result<Option<V>, Refusal> {
        match self {
            Self::Value(value) => Ok(Some(value)),
            Self::Absent => Ok(None),
            Self::Null => Err(Refusal::new("null", "must not be null (leave it out instead)")),
            Self::Refused(refusal) => Err(refusal),
        }
    }

    /// The value, where null has none: `None` where it is absent.
    pub(crate) fn clearable(self) -> Result<Option<Option<V>>, Refusal> {
        match self {
            Self::Value(value) => Ok(Some(Some(value))),
            Self::Absent => Ok(None),
            Self::Null => Ok(Some(None)),
            Self::Refused(mut refusal) => {
                if matches!(refusal.code, "empty" | "nothing_left") {
                    refusal.message.push_str(" (send null to clear it)");
                }
                Err(refusal)
            }
        }
    }
}

impl<'de, V: Read> Deserialize<'de> for Given<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GivenVisitor(PhantomData))
    }
}

/// Every whole number up to this one is exact in JSON as most programs read it (RFC 8259, section 6).
const EXACT: f64 = 9_007_199_254_740_991.0;

struct GivenVisitor<V>(PhantomData<fn() -> V>);

impl<V: Read> GivenVisitor<V> {
    fn given(read: Option<Result<V, Refusal>>, found: &str) -> Given<V> {
        match read {
            Some(Ok(value)) => Given::Value(value),
            Some(Err(refusal)) => Given::Refused(refusal),
            None => Given::Refused(Refusal::new("wrong_type", format!("must be {}, not {found}", V::WORDS))),
        }
    }

    /// A number that is not whole, or larger than any that is read.
    fn no_such_number(value: f64) -> Given<V> {
        if V::of_number(0).is_none() {
            return Self::given(None, "a number");
        }
        if value.fract() != 0.0 {
            return Self::given(None, &value.to_string());
        }
        Given::Refused(Refusal::new("out_of_range", format!("is far out of range: {value:e}")))
    }
}

impl<'de, V: Read> Visitor<'de> for GivenVisitor<V> {
    type Value = Given<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Given<V>, E> {
        Ok(Given::Null)
    }

    fn visit_none<E>(self) -> Result<Given<V>, E> {
        Ok(Given::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Given<V>, D::Error> {
        Given::deserialize(deserializer)
    }

    fn visit_str<E>(self, value: &str) -> Result<Given<V>, E> {
        Ok(Self::given(V::of_text(value), "a string"))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Given<V>, E> {
        Ok(Self::given(V::of_flag(value), "a boolean"))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Given<V>, E> {
        Ok(Self::given(V::of_number(value), "a number"))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Given<V>, E> {
        match i64::try_from(value) {
            Ok(value) => Ok(Self::given(V::of_number(value), "a number")),
            Err(_) => Ok(Self::no_such_number(value as f64)),
        }
    }

    /// A number without a fraction is whole however it is written: `5.0` is `5` (JSON Schema, `integer`).
    fn visit_f64<E>(self, value: f64) -> Result<Given<V>, E> {
        if value.fract() == 0.0 && value.abs() <= EXACT {
            return Ok(Self::given(V::of_number(value as i64), "a number"));
        }
        Ok(Self::no_such_number(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Given<V>, A::Error> {
        Ok(Self::given(V::of_list(list)?, "a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Given<V>, A::Error> {
        Ok(Self::given(V::of_object(map)?, "an object"))
    }
}
