//! The table is the one in the golden file, and what follows from it.

use super::*;
use crate::{MemberId, Reach, values::Choice};

fn scopes(scopes: &[Scope], reach: Reach) -> Grant {
    Grant::Scopes { scopes: scopes.iter().map(|scope| (*scope).into()).collect(), reach, until: None }
}

#[test]
fn the_table_has_one_row_for_each_action_in_order() {
    for (index, rule) in POLICY.iter().enumerate() {
        assert_eq!(rule.action as usize, index, "{}", rule.name);
        let has_a_word = |noun: &Noun| Noun::ALL.iter().any(|(known, _)| known == noun);
        assert!(rule.subjects.iter().all(has_a_word), "{}: {:?} is not in Noun::ALL", rule.name, rule.subjects);
        if let Scoped(scope, _) = rule.key {
            assert!(Scope::all().contains(&scope), "{}: {scope:?} is not in Scope::ALL", rule.name);
        }
    }
    assert_eq!(POLICY.len(), A::WebhookDisable as usize + 1);
}

#[test]
fn the_policy_is_the_one_in_the_golden_file() {
    for rule in POLICY {
        for (one, _) in Role::ALL {
            assert_eq!(permit(&role(*one), rule.action).is_ok(), rule.role(*one) != May::No, "{} {one}", rule.name);
        }
        let some =
            Scope::all().iter().filter(|scope| permit(&scopes(&[**scope], Reach::Tenant), rule.action).is_ok()).count();
        let all = Scope::all().len();
        assert_eq!(
            some,
            match rule.key {
                Any => all,
                Scoped(..) => 1,
                Never => 0,
            },
            "{}",
            rule.name
        );
    }
    let table = policy_table(&Permissions::default());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/policy.golden.txt");
    #[expect(clippy::disallowed_methods, reason = "the switch that `make golden` turns")]
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &table).unwrap();
    }
    assert_eq!(table, std::fs::read_to_string(path).unwrap());
}

fn role(role: Role) -> Grant {
    Grant::Role { member: MemberId::from_uuid(uuid::Uuid::nil()), role }
}

#[test]
fn who_gives_a_role_may_do_all_that_it_may() {
    let none = Permissions::default();
    assert!(may_grant(&Grant::Operator, Role::Owner, &none).is_ok(), "the first owner");
    assert!(may_grant(&Grant::Platform, Role::Observer, &none).is_err());
    for (given, _) in Role::ALL {
        assert!(may_grant(&role(Role::Owner), *given, &none).is_ok());
        assert_eq!(may_grant(&role(Role::Admin), *given, &none).is_ok(), *given != Role::Owner, "{given}");
        for low in [Role::Billing, Role::Agent, Role::Observer] {
            assert!(may_grant(&role(low), *given, &none).is_err(), "{low} gives {given}");
        }
    }
    let all = Scope::all();
    assert!(may_grant(&scopes(&all, Reach::Tenant), Role::Admin, &none).is_ok());
    assert!(may_grant(&scopes(&all, Reach::Tenant), Role::Owner, &none).is_err(), "no key can be an owner");
    let reading = [
        Scope::MembersWrite,
        Scope::TenantRead,
        Scope::BrandsRead,
        Scope::WorkspacesRead,
        Scope::MembersRead,
        Scope::UsageRead,
        Scope::IntegrationsRead,
    ];
    assert!(may_grant(&scopes(&reading, Reach::Tenant), Role::Observer, &none).is_ok());
    assert!(may_grant(&scopes(&reading, Reach::Tenant), Role::Agent, &none).is_err(), "who works writes");
    let working = [&reading[..], &[Scope::WorkspacesWrite, Scope::UsageWrite]].concat();
    assert!(may_grant(&scopes(&working, Reach::Tenant), Role::Agent, &none).is_ok());
    let billing = [Scope::MembersWrite, Scope::TenantRead, Scope::MembersRead];
    assert!(may_grant(&scopes(&billing, Reach::Tenant), Role::Billing, &none).is_ok());
    assert!(
        may_grant(&scopes(&billing[..2], Reach::Tenant), Role::Billing, &none).is_err(),
        "would learn who is a member"
    );
    for missing in 0..reading.len() {
        let some: Vec<_> = reading.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, s)| *s).collect();
        assert!(
            may_grant(&scopes(&some, Reach::Tenant), Role::Observer, &none).is_err(),
            "without {}",
            reading[missing]
        );
    }
}

#[test]
fn what_a_write_answers_is_shown_to_who_may_read_it() {
    let readers: Vec<_> = POLICY
        .iter()
        .filter_map(|rule| Some((rule.name, rule.action.reader()?.rule())))
        .inspect(|(name, reader)| assert!(reader.subjects.is_empty(), "{name}: {} is no read", reader.name))
        .map(|(name, reader)| format!("{name}: {}", reader.name))
        .collect();
    let expected = [
        "tenant.update: tenant.read",
        "brand.create: brand.read",
        "brand.update: brand.read",
        "brand.set_default: brand.read",
        "brand.delete: brand.read",
        "workspace.create: workspace.read",
        "workspace.update: workspace.read",
        "workspace.delete: workspace.read",
        "workspace.restore: workspace.read",
        "api_key.revoke: api_key.read",
        "integration.update: integration.list",
        "integration.remove: integration.list",
        "integration.verify: integration.list",
        "limits.update: limits.read",
        "agent.create: agent.read",
        "agent.update: agent.read",
        "agent.delete: agent.read",
        "usage.record: usage.read",
        "usage.refund: usage.read",
        "usage.backdate: usage.read",
        "webhook.update: webhook.read",
        "webhook.test: webhook.read",
        "webhook.delete: webhook.read",
        "webhook.resend: webhook.deliveries",
        "webhook.replay: webhook.read",
    ];
    assert_eq!(readers, expected);
}

#[test]
fn what_goes_on_in_a_frozen_tenant_is_nobodys_inside_it() {
    let going_on: Vec<_> = POLICY.iter().filter(|rule| rule.action.goes_on_frozen()).collect();
    for rule in &going_on {
        assert!(rule.key == Never && rule.roles == NOBODY, "{}", rule.name);
    }
    let names: Vec<_> = going_on.iter().map(|rule| rule.name).collect();
    let expected = [
        "tenant.suspend",
        "tenant.reactivate",
        "tenant.freeze",
        "tenant.unfreeze",
        "tenant.delete",
        "tenant.restore",
        "tenant.export",
        "tenant.import",
        "integration.reseal",
    ];
    assert_eq!(names, expected);
}

#[test]
fn an_action_is_found_by_its_name_and_no_other() {
    for rule in POLICY {
        assert_eq!(Action::named(rule.name), Some(rule.action));
    }
    for none in ["", "workspace", "workspace.Update", "workspace.update ", "workspaces:read"] {
        assert_eq!(Action::named(none), None, "{none}");
    }
}

#[test]
fn a_declared_permission_stands_in_the_table_with_who_has_it() {
    let declared = crate::Permission {
        name: "conversations:read".parse().unwrap(),
        roles: vec![Role::Owner, Role::Agent],
        level: Level::Brand,
        description: "Reads conversations.".parse().unwrap(),
    };
    let table = policy_table(&Permissions::new(vec![declared]).unwrap());
    assert_eq!(table.lines().count(), 1 + POLICY.len() + 1);
    let cells: Vec<_> = table.lines().last().unwrap().split('|').map(str::trim).collect();
    let key = "conversations:read (brand)";
    assert_eq!(cells, ["conversations:read", "-", "-", "-", "yes", "-", "-", "yes", "-", key]);
}
