//! Headers, cursors and bodies that nobody meant: reading them ends, and what is accepted is what it says.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use tenantry_domain::{PageLimit, PageRequest, Position, Sort, TenantId};
use uuid::Uuid;

use super::{list::Paging, read_json, shape};
use crate::etag::{Etag, Listed};

fn paging(tenant: u128, list: &str, sort: &str) -> Paging {
    let request =
        PageRequest { limit: PageLimit::default(), sort: sort.parse().unwrap_or(Sort::default()), after: None };
    Paging::new(request, Some(TenantId::from_uuid(Uuid::from_u128(tenant))), list.to_owned())
}

proptest! {
    #[test]
    fn a_cursor_leads_back_to_its_place_in_its_own_list_only(
        key in "\\PC{0,20}", id in any::<u128>(), tenant in 0_u128..3, at in 0_usize..400, new in "[A-Za-z0-9_=-]"
    ) {
        let own = paging(tenant, "/api/brands []", "name");
        let Ok(position) = Position::new("name".parse().unwrap(), key, Uuid::from_u128(id)) else { return Ok(()) };
        let cursor = own.encode(&position);
        prop_assert_eq!(own.decode(&cursor), Some(position.clone()));
        for other in [paging(tenant + 1, "/api/brands []", "name"), paging(tenant, "/api/agents []", "name"), paging(tenant, "/api/brands []", "-name")] {
            prop_assert_eq!(other.decode(&cursor), None);
        }
        if let Some(rest) = cursor.get(at + 1..) {
            let changed = format!("{}{new}{rest}", &cursor[..at]);
            prop_assert!(changed == cursor || own.decode(&changed).is_none_or(|other| other == position), "{changed}");
        }
    }

    #[test]
    fn what_is_no_cursor_is_none(text in prop_oneof![any::<String>(), "[A-Za-z0-9_-]{0,200}", "eyJrIjoi[A-Za-z0-9_-]{0,80}"]) {
        for sort in ["name", "createdAt"] {
            prop_assert_eq!(paging(1, "x", sort).decode(&text), None);
        }
    }

    #[test]
    fn a_list_of_tags_is_the_same_with_empty_elements(
        tags in proptest::collection::vec("(W/)?\"[!#-+\\--~]{0,6}\"", 1..6), gaps in proptest::collection::vec("[ \t]{0,2}(,[ \t]{0,2}){1,3}", 7)
    ) {
        let spaced: String = tags.iter().zip(&gaps).map(|(tag, gap)| format!("{tag}{gap}")).collect();
        prop_assert_eq!(Listed::parse(&format!("{}{spaced}", gaps[6])), Listed::parse(&tags.join(", ")));
        prop_assert!(Listed::parse(&tags.join(",")).is_some());
    }

    #[test]
    fn any_header_is_a_list_of_tags_or_not(text in prop_oneof![any::<String>(), "[W/\"*, a1.]{0,30}"], version in 1_i64..100) {
        let tag = Etag::of_version(version);
        if let Some(listed) = Listed::parse(&text) {
            prop_assert!(!listed.names(&tag) || text.trim() == "*" || text.contains(tag.as_str()), "{text}");
        }
    }

    #[test]
    fn any_body_is_read_or_refused_with_a_published_code(
        body in prop_oneof![proptest::collection::vec(any::<u8>(), 0..60), "[\\[\\]{}\",:0-9a-z \\\\\n-]{0,40}".prop_map(String::into_bytes)]
    ) {
        let read = shape::check(&body).and_then(|()| read_json::<std::collections::BTreeMap<String, IgnoredAny>>(&body));
        let is_object = body.trim_ascii().starts_with(&[0x7b]);
        let is_json = serde_json::from_slice::<serde_json::Value>(&body).is_ok();
        match read.map_err(|failure| failure.code()) {
            Ok(_) => prop_assert!(is_json && is_object),
            Err("not_an_object") => prop_assert!(is_json && !is_object),
            Err("body_too_complex") => prop_assert!(body.len() > 16),
            Err(code) => prop_assert!(code == "malformed_json" && !is_json, "{code}"),
        }
    }
}
