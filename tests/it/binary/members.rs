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
    let bob = create("bob@example.com", "agent", &["--workspace", &workspace, "--workspace", &workspace]);
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
