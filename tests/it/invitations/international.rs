//! Addresses with a domain in letters of all the world.

use serde_json::json;
use tenantry_domain::Role;
use tenantry_tests::App;

use crate::outbox::{deliver, server, token};

#[tokio::test]
async fn an_address_is_shown_as_people_write_it_and_is_the_same_in_every_form() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    let invite = |email: &str| acme.owner.post("/api/invitations", json!({ "email": email, "role": "agent" }));
    let made = invite("Hans@MÜLLER.example").await.expect(201);
    assert_eq!(made.body["email"], "Hans@müller.example");
    for same in ["hans@müller.example", "hans@xn--mller-kva.example", "HANS@mu\u{308}ller.example"] {
        let refused = invite(same).await.expect(409);
        assert_eq!(refused.body["code"], "already_invited", "{same}");
    }
    for q in ["müller", "MÜLLER", "xn--mller", "hans@"] {
        let found = acme.owner.send(acme.owner.request("GET", "/api/invitations").query(&[("q", q)])).await.expect(200);
        assert_eq!(found.body["data"].as_array().unwrap().len(), 1, "{q}");
    }
    deliver(&app, &server).await;
    let mail = &server.mails()[0];
    assert_eq!(mail.to, ["Hans@xn--mller-kva.example"]);
    let person = app.client().with_key(&app.people.token("hans", None, json!({ "email": "hans@müller.example" })));
    let accepted = person.post("/api/invitations/accept", json!({ "token": token(mail) })).await.expect(201);
    assert_eq!(accepted.body["member"]["email"], "Hans@müller.example");
    let found = acme.owner.send(acme.owner.request("GET", "/api/members").query(&[("q", "müller")])).await.expect(200);
    assert_eq!(found.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_issuer_and_who_invites_may_each_write_a_domain_in_either_form() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    let forms = ["@bücher.example", "@xn--bcher-kva.example", "@BÜCHER.example"];
    let pairs = forms.iter().flat_map(|invited| forms.iter().map(move |claimed| (invited, claimed)));
    for (number, (invited, claimed)) in pairs.enumerate() {
        let invited = format!("ada+{number}{invited}");
        acme.invitation(&invited, json!({})).await;
        let found = acme.owner.send(acme.owner.request("GET", "/api/invitations").query(&[("q", "bücher")])).await;
        assert_eq!(found.expect(200).body["data"].as_array().unwrap().len(), number + 1, "{invited} is found");
        deliver(&app, &server).await;
        let claims = json!({ "email": format!("ada+{number}{claimed}") });
        let person = app.client().with_key(&app.people.token(&format!("ada-{number}"), None, claims));
        let body = json!({ "token": token(server.mails().last().unwrap()) });
        let accepted = person.post("/api/invitations/accept", body).await.expect(201);
        assert_eq!(accepted.body["member"]["email"], format!("ada+{number}@bücher.example"));
    }
}

#[tokio::test]
async fn what_only_looks_like_an_address_is_refused_with_what_to_do() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for (email, said) in [
        ("josé@example.com", "use another address"),
        ("user@ⓔxample.com", "write the letters themselves"),
        ("kate@\u{212A}elvin.com", "write the letters themselves"),
        ("user@exa\u{200B}mple.com", "write the letters themselves"),
        ("a@bücher..example", "not a domain"),
    ] {
        let refused = acme.owner.post("/api/invitations", json!({ "email": email, "role": "agent" })).await.expect(422);
        assert_eq!(refused.refused(), [("email".to_owned(), "not_an_email_address".to_owned())], "{email}");
        assert!(refused.text.contains(said), "{email}: {}", refused.text);
    }
}

#[tokio::test]
async fn a_letter_is_in_the_language_of_the_workspace_or_the_tenant_and_names_the_member_who_invites() {
    let (app, server) = (App::start().await, server());
    // In Germany.
    let acme = app.tenant("Acme").await;
    let (_, grace) = acme.member(Role::Owner, &[]).await;
    let french = json!({ "name": "Paris", "country": "FR" });
    let french = acme.owner.post("/api/workspaces", french).await.expect(201).id();
    for (email, workspaces) in [("a@example.com", json!([])), ("b@example.com", json!([french]))] {
        let body = json!({ "email": email, "role": "agent", "workspaceIds": workspaces });
        grace.post("/api/invitations", body).await.expect(201);
    }
    deliver(&app, &server).await;
    let mails = server.mails();
    let to = |email: &str| mails.iter().find(|mail| mail.to == [email]).unwrap();
    let (german, french) = (to("a@example.com"), to("b@example.com"));
    assert!(german.html().contains("<html lang=\"de\">") && german.text().contains("Ihre Rolle: Agent/in"));
    assert!(french.html().contains("<html lang=\"fr\">") && french.text().contains("Votre rôle : agent"));
    let inviter = "@people.tenantry.test lädt Sie zu Acme ein.";
    assert!(german.text().contains(inviter), "{}", german.text());
}
