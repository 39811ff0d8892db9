//! `tenantry member`: how the first owner gets in.

use serde_json::json;
use tenantry_tests::App;

use super::{commands::done_by_ada, kit::Tenantry};

#[tokio::test]
async fn members_are_made_listed_and_removed() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let (tenantry, id) = (Tenantry::on(&app.database), acme.id.to_string());
    let of = |command: &[&str]| tenantry.json(&[&["member"][..], command, &["--tenant", &id]].concat());
    let person = ["--issuer", "https://login.example.com/", "--subject"];
    let create = |email: &str, role: &str, more: &[&str]| {
        of(&[&["create", "--email", email, "--role", role], &person[..], &[email], more].concat())
    };
    let ada = create("Ada@Example.com", "owner", &[]);
    assert_eq!(
        (&ada["email"], &ada["role"], &ada["status"]),
        (&json!("Ada@Example.com"), &json!("owner"), &json!("active"))
    );
    let labels = ["--external-id", "hr-7", "--metadata", "shift=late"];
    let bob = create(
        "bob@example.com",
        "agent",
        &[&["--workspace", &workspace, "--workspace", &workspace], &labels[..]].concat(),
    );
    assert_eq!((&bob["externalId"], &bob["metadata"]), (&json!("hr-7"), &json!({ "shift": "late" })));
    assert_eq!(of(&["list"]), json!([ada, bob]));
    assert_eq!(of(&["list", "--role", "owner"]), json!([ada]));
    assert_eq!(of(&["list", "--workspace", &workspace]), json!([bob]));
    assert_eq!(of(&["list", "--status", "suspended"]), json!([]));
    let table = tenantry.run(&["member", "list", "--tenant", &id]).expect(0).out;
    assert!(table.starts_with("ID ") && table.contains("bob@example.com") && table.contains("agent"), "{table}");
    let last = tenantry.run(&["member", "remove", "--yes", "--tenant", &id, "--email", "ada@example.com"]).expect(4);
    assert!(last.err.contains("must always have an active owner"), "{}", last.err);
    assert_eq!(of(&["remove", "--yes", "--email", "BOB@example.com"]), json!({ "removed": bob["id"] }));
    let grace = create("grace@example.com", "owner", &[]);
    assert_eq!(of(&["remove", "--yes", ada["id"].as_str().unwrap()]), json!({ "removed": ada["id"] }));
    assert_eq!(of(&["list"]), json!([grace]));
    assert_eq!((done_by_ada(&app.database, "member.create"), done_by_ada(&app.database, "member.remove")), (3, 2));
}

#[tokio::test]
async fn a_member_gets_another_address_role_and_identity() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (tenantry, id) = (Tenantry::on(&app.database), acme.id.to_string());
    let base = ["--tenant", &id, "--issuer", "https://old.example.com/", "--subject"];
    let create = |email: &str| {
        tenantry.json(&[&["member", "create", "--role", "agent", "--email", email][..], &base, &[email]].concat())
    };
    let (ada, bob) = (create("ada@example.com"), create("bob@example.com"));
    let update = |more: &[&str]| {
        [&["member", "update", "--tenant", &id][..], more]
            .concat()
            .iter()
            .map(|one| (*one).to_owned())
            .collect::<Vec<_>>()
    };
    let run = |more: &[&str]| tenantry.run(&update(more).iter().map(String::as_str).collect::<Vec<_>>());
    let json = |more: &[&str]| tenantry.json(&update(more).iter().map(String::as_str).collect::<Vec<_>>());
    let new = ["--new-email", "Ada.Lovelace@example.com", "--issuer", "https://new.example.com/", "--subject", "b8e0"];
    let changed = json(&[&["--email", "ADA@example.com"][..], &new].concat());
    assert_eq!((&changed["id"], &changed["createdAt"]), (&ada["id"], &ada["createdAt"]));
    assert_eq!(
        (&changed["email"], &changed["issuer"], &changed["subject"]),
        (&json!("Ada.Lovelace@example.com"), &json!("https://new.example.com/"), &json!("b8e0"))
    );
    let ada = ada["id"].as_str().unwrap();
    let changed = json(&[ada, "--role", "owner", "--status", "active"]);
    assert_eq!((&changed["role"], &changed["email"]), (&json!("owner"), &json!("Ada.Lovelace@example.com")));
    let labels = json(&[ada, "--external-id", "hr-8", "--metadata", "shift=early"]);
    assert_eq!((&labels["externalId"], &labels["metadata"]), (&json!("hr-8"), &json!({ "shift": "early" })));
    let removed = json(&[ada, "--external-id", "", "--metadata", "shift="]);
    assert_eq!((&removed["externalId"], &removed["metadata"]), (&json!(null), &json!({})));
    let taken = run(&["--email", "bob@example.com", "--new-email", "ada.lovelace@EXAMPLE.com"]).expect(4);
    assert!(taken.err.contains("already a member"), "{}", taken.err);
    run(&[bob["id"].as_str().unwrap(), "--issuer", "https://new.example.com/", "--subject", "b8e0"]).expect(4);
    let last = run(&[ada, "--role", "agent"]).expect(4);
    assert!(last.err.contains("must always have an active owner"), "{}", last.err);
    run(&["--email", "ada@example.com", "--role", "agent"]).expect(3);
    let refused = run(&[ada, "--new-email", "ada", "--issuer", "a b", "--subject", ""]).expect(2);
    for name in ["new-email:", "issuer:", "subject:"] {
        assert!(refused.err.contains(name), "{name} {}", refused.err);
    }
    assert_eq!((run(&[ada]).code, run(&["--role", "agent"]).code), (2, 2), "what, and whose");
    assert_eq!(done_by_ada(&app.database, "member.update"), 4);
}

#[tokio::test]
async fn what_makes_no_member_is_refused_with_its_reason() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (tenantry, id) = (Tenantry::on(&app.database), acme.id.to_string());
    let foreign = beta.workspace("Theirs").await;
    let create = |email: &str, more: &[&str]| {
        let base = ["member", "create", "--tenant", &id, "--email", email, "--subject", email];
        tenantry.run(&[&base[..], more].concat())
    };
    let good = ["--role", "owner", "--issuer", "https://login.example.com/"];
    let refused = create("ada", &["--role", "boss", "--issuer", "a b"]).expect(2);
    for name in ["email:", "role:", "issuer:"] {
        assert!(refused.err.contains(name), "{name} {}", refused.err);
    }
    create("ada@example.com", &[&good[..], &["--workspace", &foreign]].concat()).expect(3);
    create("ada@example.com", &[&good[..], &["--workspace", "Theirs"]].concat()).expect(3);
    create("ada@example.com", &good).expect(0);
    create("ADA@example.com", &good).expect(4);
    let of = |command: &[&str]| tenantry.run(&[&["member"][..], command].concat()).code;
    assert_eq!(of(&["list", "--tenant", &uuid::Uuid::now_v7().to_string()]), 3);
    assert_eq!(of(&["list", "--tenant", &id, "--role", "boss"]), 2);
    assert_eq!(of(&["remove", "--tenant", &id]), 2);
    assert_eq!(of(&["remove", "--yes", "--tenant", &id, "--email", "nobody@example.com"]), 3);
    assert_eq!(
        of(&["remove", "--yes", "--tenant", &id, "--email", "da@example.com"]),
        3,
        "a part of an address is none"
    );
    assert_eq!(app.database.rows("SELECT FROM members"), 1);
}
