//! Every naughty string and every wrong type through every member of every body.

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tenantry_domain::{Input, Role, WorkspaceName};
use tenantry_tests::{App, Tenant, TestDatabase, problem};

use super::strings::naughty;

/// What the service makes of a string before it stores it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// One line, without the white space around it.
    Line,
    /// The same, composed.
    Name,
    /// Several lines, whose ends are newlines.
    Paragraphs,
    /// HTML, sanitised.
    Html,
    /// Exactly what was sent.
    Exact,
}

const WORKSPACE: &[(&str, Kind)] = &[
    ("name", Kind::Name),
    ("brandId", Kind::Exact),
    ("country", Kind::Exact),
    ("operatingLanguage", Kind::Exact),
    ("currency", Kind::Exact),
    ("workspaceType", Kind::Exact),
    ("workspaceInstructions", Kind::Paragraphs),
    ("emailSignatureHtml", Kind::Html),
    ("emailSignatureText", Kind::Paragraphs),
];

const BRAND: &[(&str, Kind)] = &[
    ("name", Kind::Name),
    ("emailFromName", Kind::Name),
    ("slug", Kind::Exact),
    ("logoUrl", Kind::Exact),
    ("primaryColor", Kind::Exact),
    ("secondaryColor", Kind::Exact),
    ("emailSignatureHtml", Kind::Html),
    ("emailSignatureText", Kind::Paragraphs),
    ("aiSenderName", Kind::Name),
    ("aiSenderTitle", Kind::Name),
    ("aiSenderAvatarUrl", Kind::Exact),
    ("tone", Kind::Exact),
    ("brandInstructions", Kind::Paragraphs),
];

const TENANT: &[(&str, Kind)] = &[
    ("name", Kind::Name),
    ("defaultCountry", Kind::Exact),
    ("defaultOperatingLanguage", Kind::Exact),
    ("defaultCurrency", Kind::Exact),
    ("defaultWorkspaceType", Kind::Exact),
];

const AGENT: &[(&str, Kind)] =
    &[("name", Kind::Name), ("externalReference", Kind::Line), ("voice", Kind::Line), ("status", Kind::Exact)];

/// A request that takes strings, and what it needs besides the one under test.
struct Target {
    method: &'static str,
    path: String,
    base: Value,
    members: &'static [(&'static str, Kind)],
}

async fn targets(tenant: &Tenant) -> Vec<Target> {
    let target = |method, path: &str, base, members| Target { method, path: path.to_owned(), base, members };
    let workspace = format!("/api/workspaces/{}", tenant.workspace("DACH").await);
    let brand = format!("/api/brands/{}", tenant.brand("Second").await);
    let member = format!("/api/members/{}", tenant.member(Role::Agent, &[]).await.0);
    let agents = format!("{workspace}/agents");
    let agent = tenant.owner.post(&agents, json!({ "name": "x" })).await.expect(201).id();
    vec![
        target("POST", &agents, json!({ "name": "x" }), AGENT),
        target("PATCH", &format!("{agents}/{agent}"), json!({}), AGENT),
        target("POST", "/api/workspaces", json!({ "name": "x" }), WORKSPACE),
        target("PATCH", &workspace, json!({}), WORKSPACE),
        target("POST", "/api/brands", json!({ "name": "x", "emailFromName": "x" }), BRAND),
        target("PATCH", &brand, json!({}), BRAND),
        target("PATCH", "/api/tenant", json!({}), TENANT),
        target("POST", "/api/api-keys", json!({ "name": "x", "scopes": ["brands:read"] }), &[("name", Kind::Name)]),
        target(
            "POST",
            "/api/invitations",
            json!({ "email": "x@example.com", "role": "agent" }),
            &[("email", Kind::Exact), ("role", Kind::Exact)],
        ),
        target(
            "PATCH",
            &member,
            json!({}),
            &[
                ("email", Kind::Exact),
                ("role", Kind::Exact),
                ("status", Kind::Exact),
                ("issuer", Kind::Exact),
                ("subject", Kind::Exact),
            ],
        ),
    ]
}

impl Target {
    fn body(&self, member: &str, value: Value) -> Value {
        let mut body = self.base.clone();
        body[member] = value;
        body
    }
}

fn normalised(kind: Kind, sent: &str) -> String {
    match kind {
        Kind::Line => sent.trim().to_owned(),
        Kind::Name => WorkspaceName::read(sent).unwrap().as_str().to_owned(),
        Kind::Paragraphs | Kind::Html => sent.replace("\r\n", "\n"),
        Kind::Exact => sent.to_owned(),
    }
}

async fn try_string(tenant: &Tenant, target: &Target, (member, kind): (&str, Kind), sent: &str) -> bool {
    let what = format!("{} {} {member} {sent:.60?}", target.method, target.path);
    let request = tenant.owner.request(target.method, &target.path).json(&target.body(member, json!(sent)));
    let answer = tenant.owner.send(request).await;
    match answer.status {
        200 | 201 => {
            let kept = answer.text_of(member);
            if kind != Kind::Html {
                assert_eq!(kept, normalised(kind, sent), "{what}");
            }
            let controls =
                |c: char| c.is_control() && (matches!(kind, Kind::Line | Kind::Name) || !matches!(c, '\t' | '\n'));
            assert!(!kept.contains(controls), "{what}");
            let reorders = |c: char| matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
            assert!(!matches!(kind, Kind::Line | Kind::Name) || !kept.contains(reorders), "{what}");
            if target.method == "POST" && answer.headers.contains_key("location") {
                let found = tenant.owner.get(answer.header("location")).await.expect(200);
                assert_eq!(found.body[member], kept, "{what}");
            }
            true
        }
        // Two brands may want one slug, and two agents one reference.
        409 => {
            assert!(matches!(member, "slug" | "externalReference"), "{what}");
            problem(&answer);
            false
        }
        _ => {
            assert_eq!(answer.status, 422, "{what}: {}", answer.text);
            problem(&answer);
            assert_eq!(
                answer.refused().iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(),
                [member],
                "{what}"
            );
            assert!(answer.text.len() < 2_000, "a refusal does not repeat what it refuses: {what}");
            false
        }
    }
}

#[tokio::test]
async fn a_naughty_string_comes_back_as_it_was_or_is_refused_with_the_members_name() {
    let app = App::on(TestDatabase::new(), |pool| pool.connections = 8).await;
    let acme = app.tenant("Acme").await;
    let strings = naughty();
    assert!(strings.len() > 150, "{}", strings.len());
    let (acme, strings) = (&acme, &strings);
    let mut accepted = std::collections::BTreeMap::new();
    for target in &targets(acme).await {
        for member in target.members {
            let tries = strings.iter().map(|sent| try_string(acme, target, *member, sent));
            // A change is compared with its own answer, so that many may run at once.
            let taken =
                stream::iter(tries).buffer_unordered(8).filter(|taken| std::future::ready(*taken)).count().await;
            *accepted.entry(member.0).or_insert(0) += taken;
        }
    }
    // Otherwise this would show little.
    for (member, taken) in &accepted {
        let least = if matches!(*member, "name" | "workspaceInstructions" | "emailSignatureHtml") { 100 } else { 0 };
        assert!(*taken >= least, "{member} took {taken}");
    }
    assert_eq!(app.database.rows("SELECT FROM pg_tables WHERE tablename = 'workspaces'"), 1);
}

#[tokio::test]
async fn a_value_of_another_type_is_refused_with_the_members_name() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let wrong = [
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(true),
        json!([]),
        json!(["x"]),
        json!({}),
        json!({ "x": null }),
    ];
    for target in &targets(&acme).await {
        for (member, _) in target.members {
            for value in &wrong {
                let request = acme.owner.request(target.method, &target.path).json(&target.body(member, value.clone()));
                let refused = acme.owner.send(request).await.expect(422);
                assert_eq!(refused.refused(), [((*member).to_owned(), "wrong_type".to_owned())], "{member} {value}");
                problem(&refused);
            }
        }
    }
    for value in [json!("true"), json!(0), json!(1), json!([]), json!({}), Value::Null] {
        let body = json!({ "name": "x", "emailFromName": "x", "isDefault": value });
        let refused = acme.owner.post("/api/brands", body).await.expect(422);
        assert_eq!(refused.refused()[0].0, "isDefault");
    }
}

#[tokio::test]
async fn a_member_that_no_caller_may_set_is_refused_by_name() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for target in &targets(&acme).await {
        let names =
            ["id", "tenantId", "createdAt", "version", "", "NAME", "na\u{200B}me", "__proto__", "colour", "\0", "<b>"];
        for name in names {
            let request = acme.owner.request(target.method, &target.path).json(&target.body(name, json!("x")));
            let refused = acme.owner.send(request).await.expect(422);
            assert_eq!(refused.refused(), [(name.to_owned(), "unknown_field".to_owned())], "{name:?}");
            problem(&refused);
        }
    }
}
