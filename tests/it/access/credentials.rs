//! A credential counts as a whole. What is right in all but one of its parts lets nobody in, although the tenant has others that are
//! right in that part: neither to a look-up, which many are read together for, nor to a write, where each is read by itself.

use diesel::connection::SimpleConnection;
use serde_json::json;
use tenantry_domain::{KeyMode, Role};
use tenantry_tests::{App, Client, new_name};

#[tokio::test]
async fn a_credential_with_one_wrong_part_is_refused_in_the_lane_and_at_the_door() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let look_up = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    let write = async |client: &Client| {
        let brand = json!({ "name": new_name("Brand"), "emailFromName": "Acme" });
        client.post("/api/brands", brand).await.status
    };
    let scopes = ["workspaces:read", "brands:read", "brands:write"];
    // Whoever is good in every part, next to all of the others.
    acme.key(&scopes, json!({})).await;
    acme.member(Role::Owner, &[]).await;
    let mut parts = Vec::new();
    for (part, change) in [("the revocation", "revoked_at = now()"), ("the end", "expires_at = now()")] {
        let (key, id) = acme.key_with_id(&scopes, json!({})).await;
        parts.push((part, key, format!("UPDATE api_keys SET {change} WHERE id = '{id}'")));
    }
    let (key, id) = acme.key_with_id(&scopes, json!({})).await;
    let hash = format!("UPDATE api_keys SET secret_hash = sha256('another') WHERE id = '{id}'");
    parts.push(("the secret", key, hash));
    for (part, change) in [
        ("the issuer", "issuer = 'https://elsewhere.example/'"),
        ("the subject", "subject = 'another'"),
        ("the status", "status = 'suspended'"),
    ] {
        let (id, person) = acme.member(Role::Admin, &[]).await;
        parts.push((part, person, format!("UPDATE members SET {change} WHERE id = '{id}'")));
    }
    for (part, client, change) in parts {
        client.get(&look_up).await.expect(200);
        assert_eq!(write(&client).await, 201, "{part}");
        app.database.admin().batch_execute(&change).unwrap();
        client.get(&look_up).await.expect(401);
        assert_eq!(write(&client).await, 401, "{part}");
    }
    let unknown = tenantry_auth::issue(acme.id, KeyMode::Live).unwrap();
    let unknown = app.client().with_key(unknown.reveal());
    unknown.get(&look_up).await.expect(401);
    assert_eq!(write(&unknown).await, 401);
}
