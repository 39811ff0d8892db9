//! What is refused, each with its sentence.

use serde_json::{Value, json};

use super::{ALL, Noun, Stage};

#[tokio::test]
async fn what_is_no_label_is_refused_in_a_sentence() {
    let stage = Stage::new().await;
    let many: Value = (0..51).map(|n| (format!("n{n}"), json!("v"))).collect::<serde_json::Map<_, _>>().into();
    let cases = [
        (json!({ "externalId": "" }), "empty", "externalId must not be empty (send null to clear it)."),
        (json!({ "externalId": " a" }), "surrounding_space", "externalId must not begin or end with white space."),
        (
            json!({ "externalId": "a\u{200B}b" }),
            "forbidden_character",
            "externalId must have only visible characters, but contains U+200B.",
        ),
        (
            json!({ "externalId": "x".repeat(256) }),
            "too_long",
            "externalId must be at most 255 characters long, but is 256.",
        ),
        (json!({ "externalId": 4711 }), "wrong_type", "externalId must be a string, not a number."),
        (json!({ "metadata": "gold" }), "wrong_type", "metadata must be an object of strings, not a string."),
        (json!({ "metadata": ["gold"] }), "wrong_type", "metadata must be an object of strings, not a list."),
        (
            json!({ "metadata": { "tier": 1 } }),
            "wrong_type",
            "metadata has \"tier\", whose value must be a string, not a number.",
        ),
        (
            json!({ "metadata": { "tier": "" } }),
            "empty",
            "metadata has \"tier\", whose value must not be empty (send null to clear it).",
        ),
        (
            json!({ "metadata": { "tier": "x".repeat(501) } }),
            "too_long",
            "metadata has \"tier\", whose value must be at most 500 characters long, but is 501.",
        ),
        (
            json!({ "metadata": { "a[b]": "v" } }),
            "forbidden_character",
            "metadata has the name \"a[b]\", which must have no square brackets, but contains U+005B.",
        ),
        (json!({ "metadata": { "": "v" } }), "empty", "metadata has the name \"\", which must not be empty."),
        (
            json!({ "metadata": { "n".repeat(41): "v" } }),
            "too_long",
            &format!(
                "metadata has the name \"{}\", which must be at most 40 characters long, but is 41.",
                "n".repeat(40)
            ),
        ),
        (json!({ "metadata": many }), "too_many", "metadata can have at most 50 entries, and would have 51."),
    ];
    for noun in ALL {
        let path = stage.make(noun, json!({ "metadata": { "kept": "v" } })).await;
        for (body, code, sentence) in &cases {
            let refused = stage.client(noun).patch(&path, body.clone()).await.expect(422);
            assert_eq!(refused.body["fields"][0]["code"], *code, "{noun:?} {body}");
            let sentence = if *code == "too_many" { sentence.replace("51", "52") } else { (*sentence).to_owned() };
            assert_eq!(refused.body["detail"], sentence, "{noun:?}");
        }
        let kept = stage.client(noun).get(&path).await.expect(200);
        assert_eq!(kept.body["metadata"], json!({ "kept": "v" }), "{noun:?}");
    }
    let twice = stage.tenant.owner.request("POST", "/api/workspaces").header("Content-Type", "application/json");
    let twice = twice.body(r#"{"name": "Twice", "metadata": {"a": "1", "a": "2"}}"#);
    let refused = stage.tenant.owner.send(twice).await.expect(422);
    assert_eq!(refused.body["detail"], "metadata has \"a\" twice.");
}

#[tokio::test]
async fn fifty_entries_are_as_many_as_there_can_be() {
    let stage = Stage::new().await;
    let many: Value = (0..50).map(|n| (format!("n{n}"), json!("v"))).collect::<serde_json::Map<_, _>>().into();
    let path = stage.make(Noun::Brand, json!({ "metadata": many })).await;
    let refused = stage.tenant.owner.patch(&path, json!({ "metadata": { "more": "v" } })).await.expect(422);
    assert_eq!(refused.body["detail"], "metadata can have at most 50 entries, and would have 51.");
    stage.tenant.owner.patch(&path, json!({ "metadata": { "more": "v", "n1": null } })).await.expect(200);
}

#[tokio::test]
async fn a_filter_is_refused_in_a_sentence() {
    let stage = Stage::new().await;
    for (query, status, sentence) in [
        ("metadata.tier=", 422, "metadata has \"tier\", whose value must not be empty."),
        ("metadata.=x", 422, "metadata has the name \"\", which must not be empty."),
        (
            "metadata=gold",
            422,
            "metadata must be sent by the name of each entry, as in metadata.tier=gold, not a string.",
        ),
        ("metadata.tier=a&metadata.tier=b", 400, "The query has the parameter \"metadata.tier\" twice."),
        ("externalId=", 422, "externalId must not be empty."),
    ] {
        for noun in ALL {
            let path = format!("{}?{query}", stage.list(noun));
            let refused = stage.client(noun).get(&path).await.expect(status);
            assert_eq!(refused.body["detail"], sentence, "{noun:?}");
        }
    }
    let refused = stage.tenant.owner.get("/api/api-keys?metadata.tier=gold").await.expect(422);
    assert_eq!(refused.refused(), [("metadata".to_owned(), "unknown_field".to_owned())]);
}

#[tokio::test]
async fn a_key_of_one_brand_sets_no_external_id_and_learns_of_none() {
    let stage = Stage::new().await;
    let acme = &stage.tenant;
    let elsewhere = acme.workspace("Elsewhere").await;
    acme.owner.patch(&format!("/api/workspaces/{elsewhere}"), json!({ "externalId": "taken" })).await.expect(200);
    let brand = acme.brand("Outlet").await;
    let own = acme.workspace_of(&brand, "Own").await;
    acme.owner.patch(&format!("/api/workspaces/{own}"), json!({ "externalId": "own" })).await.expect(200);
    let key = acme.key(&["workspaces:read", "workspaces:write"], json!({ "brandId": brand })).await;
    let sentence =
        "Only a caller who can see the whole tenant can set an external ID, because it must be unique in the tenant.";
    for external_id in ["taken", "free"] {
        let by_id = format!("/api/workspaces/by-external-id/{external_id}");
        let answers = [
            key.post("/api/workspaces", json!({ "name": "New", "externalId": external_id })).await,
            key.patch(&format!("/api/workspaces/{own}"), json!({ "externalId": external_id })).await,
            key.put(&by_id, json!({ "name": "New" })).await,
        ];
        for answer in answers {
            assert_eq!(answer.expect(403).body["detail"], sentence, "{external_id}");
        }
        key.get(&by_id).await.expect(404);
        let listed = key.get(&format!("/api/workspaces?externalId={external_id}")).await.expect(200);
        assert_eq!(listed.body["data"], json!([]));
    }
    // What it sees, it finds and changes.
    key.get("/api/workspaces/by-external-id/own").await.expect(200);
    let put = key.put("/api/workspaces/by-external-id/own", json!({ "name": "Renamed" })).await.expect(200);
    assert_eq!((put.id(), put.text_of("name")), (own.clone(), "Renamed".to_owned()));
    key.patch(&format!("/api/workspaces/{own}"), json!({ "metadata": { "tier": "gold" } })).await.expect(200);
    let untouched = acme.owner.get(&format!("/api/workspaces/{elsewhere}")).await.expect(200);
    assert_eq!(
        (untouched.text_of("name"), untouched.text_of("externalId")),
        ("Elsewhere".to_owned(), "taken".to_owned())
    );
}
