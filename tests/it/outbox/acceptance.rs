//! What the link in the message does, and what it does no longer.

use futures_util::future::{join, join_all};
use serde_json::json;
use tenantry_domain::{Error, OutboxState};
use tenantry_operations::outbox::{Report, deliver_due};
use tenantry_tests::App;

use super::{
    accept, behind_the_back, by_recipient, conflict, deliver, deliver_all, hold, let_go, listed, patient, sender,
    server, token, until_waiting,
};

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn sending_again_kills_the_link_before_and_drops_what_is_not_sent_yet() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    let id = acme.invitation(ADA, json!({})).await;
    assert_eq!(deliver(&app, &server).await.sent, 1);
    let path = format!("/api/invitations/{id}/resend");
    for _ in 0..2 {
        acme.owner.post(&path, json!({})).await.expect(200);
    }
    assert_eq!(listed(&app, &acme, Some(OutboxState::Dropped)).await.len(), 1);
    assert_eq!(deliver(&app, &server).await, Report { sent: 1, ..Report::default() });
    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    assert_ne!(mails[0].headers("message-id"), mails[1].headers("message-id"), "it is another email");
    let (old, new) = (token(&mails[0]), token(&mails[1]));
    assert_eq!(conflict(accept(&app.store, "ada", ADA, &old).await), "invitation_replaced");
    assert_eq!(app.database.rows("SELECT 1 FROM members"), 0);
    accept(&app.store, "ada", ADA, &new).await.unwrap();
    for token in [&old, &new] {
        assert_eq!(conflict(accept(&app.store, "ada", ADA, token).await), "invitation_accepted");
    }
}

#[tokio::test]
async fn a_link_lets_nobody_into_a_tenant_that_is_suspended_or_deleted() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    acme.invitation(ADA, json!({})).await;
    assert_eq!(deliver(&app, &server).await.sent, 1);
    let token = token(&server.mails()[0]);
    behind_the_back(&app, "UPDATE tenants SET suspended_at = now()");
    let refused = accept(&app.store, "ada", ADA, &token).await.unwrap_err();
    assert!(matches!(refused, Error::Unauthenticated(_)), "{refused:?}");
    behind_the_back(&app, "UPDATE tenants SET suspended_at = NULL, deleted_at = now()");
    let refused = accept(&app.store, "ada", ADA, &token).await.unwrap_err();
    assert!(matches!(refused, Error::NotFound(_)), "{refused:?}");
    assert_eq!(app.database.rows("SELECT 1 FROM members"), 0);
    behind_the_back(&app, "UPDATE tenants SET deleted_at = NULL");
    accept(&app.store, "ada", ADA, &token).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_leaves_while_the_invitation_is_sent_again_is_dead_when_it_arrives() {
    let (app, server) = (patient().await, server());
    let acme = app.tenant("Acme").await;
    let id = acme.invitation(ADA, json!({})).await;
    // The worker is in the middle of its claim: nobody sees its token yet.
    let holder = hold(&app, "BEFORE INSERT ON invitation_tokens FOR EACH ROW");
    let (store, from) = (app.store.clone(), sender(&server));
    let worker = tokio::spawn(async move { deliver_due(&store, &from, || true).await.unwrap() });
    until_waiting(&app, 1).await;
    let (owner, path) = (acme.owner.clone(), format!("/api/invitations/{id}/resend"));
    let resent = tokio::spawn(async move { owner.post(&path, json!({})).await });
    until_waiting(&app, 2).await;
    let_go(holder);
    resent.await.unwrap().expect(200);
    let sent = worker.await.unwrap().sent + deliver_all(&app.store, &server).await;
    let mails = server.mails();
    assert_eq!((sent, mails.len()), (2, 2));
    assert_eq!(conflict(accept(&app.store, "ada", ADA, &token(&mails[0])).await), "invitation_replaced");
    accept(&app.store, "ada", ADA, &token(&mails[1])).await.unwrap();
}

#[tokio::test]
async fn a_link_is_for_the_address_that_was_invited_in_whatever_case() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    acme.invitation("Ada@Example.com", json!({})).await;
    deliver(&app, &server).await;
    assert_eq!(server.mail().to, ["Ada@Example.com"]);
    let token = token(&server.mail());
    let other = accept(&app.store, "eve", "eve@example.com", &token).await;
    assert!(matches!(other, Err(Error::Forbidden { .. })), "{other:?}");
    let made_up = accept(&app.store, "ada", ADA, &token.replace("tnt_inv_v1_", "tnt_inv_v2_")).await;
    assert!(matches!(made_up, Err(Error::NotFound(_))), "{made_up:?}");
    assert_eq!(app.database.rows("SELECT 1 FROM members"), 0);
    accept(&app.store, "ada", "ADA@EXAMPLE.COM", &token).await.unwrap();
}

#[tokio::test]
async fn a_link_that_was_revoked_or_has_expired_says_so() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    let id = acme.invitation(ADA, json!({})).await;
    acme.invitation("bob@example.com", json!({})).await;
    assert_eq!(deliver(&app, &server).await.sent, 2);
    acme.owner.delete(&format!("/api/invitations/{id}")).await.expect(204);
    behind_the_back(&app, "UPDATE invitations SET expires_at = now() WHERE email_key = 'bob@example.com'");
    for mail in server.mails() {
        let code = if mail.to[0] == ADA { "invitation_revoked" } else { "invitation_expired" };
        assert_eq!(conflict(accept(&app.store, "x", &mail.to[0], &token(&mail)).await), code);
    }
    assert_eq!(app.database.rows("SELECT 1 FROM members"), 0);
}

#[tokio::test]
async fn fifty_at_once_who_invite_one_address_make_one_invitation_and_one_email() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    let owner = &acme.owner;
    let answers = join_all((0..50).map(|n: usize| async move {
        let cased: String = ADA
            .chars()
            .enumerate()
            .map(|(at, c)| if (n >> (at % 6)) & 1 == 1 { c.to_ascii_uppercase() } else { c })
            .collect();
        owner.post("/api/invitations", json!({ "email": cased, "role": "agent" })).await
    }))
    .await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers.iter().filter(|a| a.status == 409 && a.body["code"] == "already_invited").count();
    assert_eq!((created, refused), (1, 49));
    assert_eq!(deliver_all(&app.store, &server).await, 1);
    assert_eq!(by_recipient(&server).len(), 1);
    assert_eq!(app.database.rows("SELECT 1 FROM invitations"), 1);
    assert_eq!(app.database.rows("SELECT 1 FROM outbox_messages"), 1);
}

#[tokio::test]
async fn fifty_at_once_who_accept_make_one_member() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    acme.invitation(ADA, json!({})).await;
    deliver(&app, &server).await;
    let (token, store) = (&token(&server.mail()), &app.store);
    let outcomes = join_all((0..50).map(|_| accept(store, "ada", ADA, token))).await;
    let (good, bad): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (1, 49));
    assert!(bad.into_iter().all(|outcome| conflict(outcome) == "invitation_accepted"));
    assert_eq!(app.database.rows("SELECT 1 FROM members"), 1);
    assert_eq!(app.database.rows("SELECT 1 FROM audit_events WHERE action = 'invitation.accept'"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_accepts_while_another_revokes_is_a_member_or_is_not() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    for n in 0..12 {
        let email = format!("p{n}@example.com");
        let id = acme.invitation(&email, json!({})).await;
        deliver(&app, &server).await;
        let token = token(server.mails().last().unwrap());
        let path = format!("/api/invitations/{id}");
        let (accepted, revoked) = join(accept(&app.store, &email, &email, &token), acme.owner.delete(&path)).await;
        let state = acme.owner.get(&path).await.expect(200).text_of("state");
        let member = app.database.rows(&format!("SELECT 1 FROM members WHERE email_key = '{email}'"));
        match accepted {
            Ok(_) => {
                assert_eq!((revoked.status, state.as_str(), member), (409, "accepted", 1));
                assert_eq!(revoked.body["code"], "invitation_accepted");
            }
            refused => {
                assert_eq!(conflict(refused), "invitation_revoked");
                assert_eq!((revoked.status, state.as_str(), member), (204, "revoked", 0));
            }
        }
    }
}
