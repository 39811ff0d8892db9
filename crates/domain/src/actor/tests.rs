//! Who somebody is, and how far they reach.

use super::*;
use crate::ids::{Id, Identified};

fn id<K: Identified>(number: u128) -> Id<K> {
    Id::from_uuid(uuid::Uuid::from_u128(number))
}

#[test]
fn a_larger_reach_includes_a_smaller_one_and_no_other() {
    let levels = [Level::Workspace, Level::Brand, Level::Tenant];
    for (reach, enough) in [
        (Reach::Nothing, [true, false, false]),
        (Reach::Assigned(id(1)), [true, false, false]),
        (Reach::Workspace(id(1)), [true, false, false]),
        (Reach::Brand(id(1)), [true, true, false]),
        (Reach::Tenant, [true, true, true]),
    ] {
        assert_eq!(levels.map(|level| reach.at_least(level).is_ok()), enough, "{reach:?}");
    }
    assert_eq!(Reach::Brand(id(1)).restriction(), (Some(id(1)), None));
    assert_eq!(Reach::Workspace(id(1)).restriction(), (None, Some(id(1))));
    for all in [Reach::Nothing, Reach::Assigned(id(1)), Reach::Tenant] {
        assert_eq!(all.restriction(), (None, None), "{all:?}");
    }
}

#[test]
fn an_issuer_is_trusted_for_the_tenants_that_are_named_or_for_all() {
    let some = TrustedFor::only(vec![id(1), id(2)]);
    assert!(some.includes(id(1)) && some.includes(id(2)) && !some.includes(id(3)) && !some.is_nobody());
    assert!(TrustedFor::default().includes(id(3)) && !TrustedFor::default().is_nobody());
    let nobody = TrustedFor::only(Vec::new());
    assert!(nobody.is_nobody() && !nobody.includes(id(1)));
}

#[test]
fn only_the_platform_has_a_home_of_its_own() {
    let at_home = |holder| Credential { holder, origin: Origin::default() }.at_home().tenant();
    let key = || "0a1b2c3d".to_owned();
    assert_eq!(at_home(Holder::Platform { key: key(), tenant: None }), Some(TenantId::PLATFORM));
    assert_eq!(at_home(Holder::Platform { key: key(), tenant: Some(id(1)) }), Some(TenantId::PLATFORM));
    assert_eq!(at_home(Holder::ApiKey { tenant: id(1), hash: SecretHash::new([0; 32]) }), Some(id(1)));
    assert_eq!(at_home(Holder::Job { name: "erase", tenant: None }), None);
    let operator = |tenant| Holder::Operator { name: "ada".parse().unwrap(), tenant };
    assert_eq!((at_home(operator(None)), at_home(operator(Some(id(1))))), (None, Some(id(1))));
}

#[test]
fn a_maker_comes_back_from_its_text_and_only_a_member_is_one() {
    for (actor, text, member) in [
        (Actor::Member(id(1)), format!("member:{}", id::<crate::Member>(1)), Some(id(1))),
        (Actor::ApiKey(id(1)), format!("api_key:{}", id::<crate::ApiKey>(1)), None),
        (Actor::Platform("0a1b2c3d".to_owned()), "platform:0a1b2c3d".to_owned(), None),
        (Actor::Operator("ada: at home".to_owned()), "operator:ada: at home".to_owned(), None),
        (Actor::Job("erase"), "job:erase".to_owned(), None),
    ] {
        let maker = Maker::of(&actor);
        assert_eq!((maker.to_string(), text.parse()), (text.clone(), Ok(maker.clone())));
        assert_eq!((maker.member(), maker.kind(), maker.id()), (member, actor.kind(), &*actor.id()));
        assert!(Maker::with_id(maker.id()).contains(&maker));
    }
    for bad in ["", "member", "member:", "Member:1", "nobody:1", ":1"] {
        assert!(bad.parse::<Maker>().is_err(), "{bad}");
    }
    assert!(format!("job:{}", "x".repeat(255)).parse::<Maker>().is_ok());
    assert!(format!("job:{}", "x".repeat(256)).parse::<Maker>().is_err());
    // Whose id is written in another way is none that the service has given.
    assert_eq!("member:01234567-89AB-7DEF-8123-456789ABCDEF".parse::<Maker>().unwrap().member(), None);
}

#[test]
fn an_issuer_and_a_subject_are_text_of_1_to_255_characters() {
    for (text, issuer, subject) in [
        ("https://id.test/", true, true),
        ("auth0|1 ä", false, true),
        ("a b", false, true),
        ("a\u{7f}", false, false),
        ("a\n", false, false),
        ("", false, false),
        (&*"x".repeat(255), true, true),
        (&*"x".repeat(256), false, false),
    ] {
        let read = text.parse::<IssuerName>().ok();
        assert_eq!(read.as_ref().map(IssuerName::as_str), issuer.then_some(text), "{text:?}");
        let read = text.parse::<Subject>().ok();
        assert_eq!(read.as_ref().map(Subject::as_str), subject.then_some(text), "{text:?}");
    }
}
