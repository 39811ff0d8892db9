//! What is in force in a workspace, and where it comes from; signatures.

use insta::assert_snapshot;
use serde_json::{Value, json};
use tenantry_tests::{Answer, App, Client, view};

async fn effective(client: &Client, workspace: &str) -> Answer {
    client.get(&format!("/api/workspaces/{workspace}/effective")).await.expect(200)
}

#[tokio::test]
async fn each_value_in_force_says_where_it_comes_from() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let tenant = acme.id.to_string();
    let named = [("workspace", id.as_str()), ("brand", &acme.brand), ("tenant", &tenant)];
    assert_snapshot!("nothing_set", view(&effective(&acme.owner, &id).await, &named));
    let brand = json!({ "emailSignatureHtml": "<p>Brand</p>", "emailSignatureText": "Brand", "aiSenderName": "Alex",
        "aiSenderTitle": "Care", "aiSenderAvatarUrl": "https://cdn.example.com/a.png", "tone": "formal", "brandInstructions": "Be brief." });
    acme.owner.patch(&format!("/api/brands/{}", acme.brand), brand).await.expect(200);
    assert_snapshot!("of_the_brand", view(&effective(&acme.owner, &id).await, &named));
    // Each signature falls back on its own; instructions are joined.
    let path = format!("/api/workspaces/{id}");
    let own = json!({ "emailSignatureHtml": "<p>Own</p>", "workspaceInstructions": "Say VAT." });
    acme.owner.patch(&path, own).await.expect(200);
    assert_snapshot!("of_the_workspace_and_the_brand", view(&effective(&acme.owner, &id).await, &named));
    acme.owner.patch(&format!("/api/brands/{}", acme.brand), json!({ "brandInstructions": null })).await.expect(200);
    let own = effective(&acme.owner, &id).await.body;
    assert_eq!(own["instructions"], json!({ "value": "Say VAT.", "source": "workspace" }));
    // The workspace itself shows its own values only.
    let shown = acme.owner.get(&path).await.expect(200).body;
    assert_eq!((&shown["emailSignatureText"], &shown["workspaceInstructions"]), (&Value::Null, &json!("Say VAT.")));
    // Under another brand, that one's.
    let second = acme.brand("Second").await;
    acme.owner.patch(&path, json!({ "brandId": second })).await.expect(200);
    let moved = effective(&acme.owner, &id).await.body;
    assert_eq!(moved["emailFromName"]["value"], "Second");
    assert_eq!(moved["tone"], json!({ "value": null, "source": "none" }));
}

#[tokio::test]
async fn what_comes_back_of_a_signature_is_what_is_stored_and_can_do_nothing() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    for (sent, kept) in [
        ("<p>Freundliche Gruesse,<br>Ihr Acme DACH Team</p>", "<p>Freundliche Gruesse,<br>Ihr Acme DACH Team</p>"),
        ("<p onclick=\"x()\">Hi<script>alert(1)</script></p>", "<p>Hi</p>"),
        ("<img src=\"https://a.example/x.png\" onerror=\"x()\">", "<img src=\"https://a.example/x.png\">"),
        ("<p>x<img src=\"http://a.example/x.png\" alt=\"x\"></p>", "<p>x</p>"),
        ("<a href=\"javascript:alert(1)\">x</a>", "<a rel=\"noopener noreferrer\">x</a>"),
        ("<p style=\"color:red;position:fixed\">x</p>", "<p style=\"color:red\">x</p>"),
        ("{{7*7}} ${x} %s {0}", "{{7*7}} ${x} %s {0}"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("<P>x", "<p>x</p>"),
        ("<p>a\r\nb</p>", "<p>a\nb</p>"),
    ] {
        let mut changed = acme.owner.patch(&path, json!({ "emailSignatureHtml": sent })).await.expect(200);
        changed.body.as_object_mut().unwrap().remove("removed");
        assert_eq!(changed.body["emailSignatureHtml"], kept, "{sent}");
        let again = acme.owner.patch(&path, json!({ "emailSignatureHtml": kept })).await.expect(200);
        assert_eq!((again.etag(), &again.body), (changed.etag(), &changed.body), "sanitising twice changes nothing");
        assert_eq!(acme.owner.get(&path).await.expect(200).body, changed.body);
    }
    for (bad, code) in [
        ("<script>alert(1)</script>".to_owned(), "nothing_left"),
        (" \n ".to_owned(), "nothing_left"),
        ("<p>\0</p>".to_owned(), "forbidden_character"),
        ("&".repeat(20_000), "too_long"),
        ((0..1_000).map(|size| format!("<font size={size}><p>")).collect(), "too_complex"),
    ] {
        let refused = acme.owner.patch(&path, json!({ "emailSignatureHtml": bad })).await.expect(422);
        assert_eq!(refused.refused(), [("emailSignatureHtml".to_owned(), code.to_owned())]);
    }
    // The text signature is text: what looks like markup stays as it is.
    let text = "<b>x</b> & <script>\n\t.";
    let changed = acme.owner.patch(&path, json!({ "emailSignatureText": text })).await.expect(200);
    assert_eq!(changed.body["emailSignatureText"], text);
}
