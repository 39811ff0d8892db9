//! Secrets go in and never come out.

use serde_json::json;
use tenantry_tests::{App, Canary};

use super::{call, get, update, with_workspaces};

#[tokio::test]
async fn no_answer_no_event_and_no_row_has_a_secret_in_it() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first"]).await;
    let canaries = [Canary::new("b3a1d"), Canary::new("sk_"), Canary::new("sk-proj-")];
    let [auth_token, elevenlabs, openai] = canaries.each_ref().map(Canary::secret);
    let body = json!({ "auth_token": auth_token, "elevenlabs_key": elevenlabs, "openai_key": openai });
    let mut seen = vec![update(&acme.owner, 1, body).await.expect(200).text];
    for bad in ["...", " ", "ü"] {
        let body = json!({ "auth_token": format!("{auth_token}{bad}") });
        seen.push(update(&acme.owner, 1, body).await.expect(422).text);
    }
    for path in ["get-all", "get/1", "1/voices", "calendars/1"] {
        seen.push(get(&acme.owner, &format!("/api/workspace/{path}")).await.text);
    }
    let id = acme.owner.get("/api/workspaces").await.expect(200).body["data"][0]["id"].as_str().unwrap().to_owned();
    seen.push(acme.owner.get(&format!("/api/workspaces/{id}/integrations")).await.expect(200).text);
    seen.push(acme.owner.get("/api/audit-events").await.expect(200).text);
    seen.push(call(&acme.owner, "DELETE", "/api/workspace/delete/1", None).await.expect(200).text);
    let dump = app.database.dump();
    for canary in &canaries {
        let known = &canary.secret()[canary.secret().len() - 4..];
        assert!(dump.contains(known), "the control: the dump has what may be known");
    }
    seen.push(dump);
    for text in &seen {
        for canary in &canaries {
            assert_eq!(canary.found_in(text.as_bytes()), None, "in {text}");
        }
    }
}
