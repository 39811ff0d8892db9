//! A token is in the message and nowhere else.

use serde_json::json;
use tenantry_operations::outbox::Report;
use tenantry_tests::{App, Rows, Turn};

use super::{deliver, server, token, wait_for_the_next_attempt};

/// Each part of the random characters, twelve long.
fn traces(token: &str) -> Vec<String> {
    let random = &token[33..65];
    (0..=random.len() - 12).map(|at| random[at..at + 12].to_owned()).collect()
}

#[tokio::test]
async fn a_token_is_never_in_the_database_nor_in_an_answer() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    let id = acme.invitation("ada@example.com", json!({})).await;
    assert_eq!(deliver(&app, &server).await.sent, 1);
    let token = token(&server.mail());
    assert_eq!(token.len(), 71);
    let rows: String = Rows::of(&app.database).all().into_values().flatten().collect::<Vec<_>>().join("\n");
    let answers = [
        acme.owner.get("/api/invitations").await.expect(200).text,
        acme.owner.get(&format!("/api/invitations/{id}")).await.expect(200).text,
        acme.owner.get("/api/audit-events").await.expect(200).text,
    ];
    for trace in traces(&token) {
        assert!(!rows.contains(&trace) && !answers.iter().any(|answer| answer.contains(&trace)), "{trace}");
    }
    let hash = format!("SELECT 1 FROM invitation_tokens WHERE token_hash = sha256('{token}')");
    assert_eq!(app.database.rows(&hash), 1, "the hash is");
}

#[tokio::test]
async fn a_server_that_repeats_the_link_does_not_get_it_into_the_outbox() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    acme.invitation("ada@example.com", json!({})).await;
    server.next(Turn::EchoLink);
    assert_eq!(deliver(&app, &server).await, Report { postponed: 1, ..Report::default() });
    let told = server.ended(1).await.remove(0);
    let told = told
        .lines
        .into_iter()
        .find(|said| !said.by_client && said.line.contains("tnt_inv_v1_"))
        .expect("it was repeated");
    let rows: String = Rows::of(&app.database).all().into_values().flatten().collect::<Vec<_>>().join("\n");
    assert!(rows.contains("450 4.7.1 I do not like"), "{rows}");
    let at = told.line.find("tnt_inv_v1_").unwrap();
    for trace in traces(&told.line[at..at + 71]) {
        assert!(!rows.contains(&trace), "{trace}");
    }
    wait_for_the_next_attempt(&app);
    assert_eq!(deliver(&app, &server).await.sent, 1);
}
