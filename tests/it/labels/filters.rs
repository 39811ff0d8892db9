//! Lists by external ID and by metadata.

use serde_json::json;

use super::{ALL, Noun, Stage, id};

#[tokio::test]
async fn a_list_shows_what_has_all_that_is_asked_for() {
    let stage = Stage::new().await;
    for noun in ALL {
        let mut made = Vec::new();
        for (external_id, metadata) in [
            ("a", json!({ "tier": "gold", "region": "eu" })),
            ("b", json!({ "tier": "gold", "region": "us" })),
            ("c", json!({ "tier": "Gold" })),
            ("d", json!({ "plan.x": "50% off & more" })),
        ] {
            made.push(id(&stage.make(noun, json!({ "externalId": external_id, "metadata": metadata })).await));
        }
        let [a, b, c, d] = &made[..] else { panic!("four were made") };
        for (query, expected) in [
            ("externalId=b", vec![b]),
            ("externalId=B", vec![]),
            ("metadata.tier=gold", vec![a, b]),
            ("metadata.tier=gold&sort=-createdAt", vec![b, a]),
            ("metadata.tier=Gold", vec![c]),
            ("metadata.tier=gold&metadata.region=eu", vec![a]),
            ("metadata.region=us&externalId=b&metadata.tier=gold", vec![b]),
            ("metadata.region=eu&externalId=b", vec![]),
            ("metadata.tier=silver", vec![]),
            ("metadata.plan.x=50%25%20off%20%26%20more", vec![d]),
        ] {
            let expected: Vec<_> = expected.into_iter().cloned().collect();
            assert_eq!(stage.listed(noun, query).await, expected, "{noun:?} {query}");
        }
        // What is no longer so is no longer found.
        let path = format!("{}/{a}", stage.list(noun));
        stage.client(noun).patch(&path, json!({ "metadata": { "tier": "silver" } })).await.expect(200);
        assert_eq!(&stage.listed(noun, "metadata.tier=gold").await, std::slice::from_ref(b), "{noun:?}");
        let silver = stage.listed(noun, "metadata.tier=silver&metadata.region=eu").await;
        assert_eq!(&silver, std::slice::from_ref(a), "{noun:?}");
        stage.client(noun).patch(&path, json!({ "metadata": null })).await.expect(200);
        assert_eq!(stage.listed(noun, "metadata.region=eu").await, Vec::<String>::new(), "{noun:?}");
    }
}

#[tokio::test]
async fn pages_of_a_filtered_list_repeat_and_skip_nothing() {
    let stage = Stage::new().await;
    let mut gold = Vec::new();
    for n in 0..9 {
        let metadata = if n % 3 == 0 { json!({ "tier": "silver" }) } else { json!({ "tier": "gold" }) };
        let made = id(&stage.make(Noun::Workspace, json!({ "metadata": metadata })).await);
        gold.extend((n % 3 != 0).then_some(made));
    }
    for (sort, expected) in [("createdAt", gold.clone()), ("-createdAt", gold.iter().rev().cloned().collect())] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/workspaces?metadata.tier=gold&limit=2&sort={sort}{cursor}");
            let page = stage.tenant.owner.get(&path).await.expect(200).body;
            seen.extend(page["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["nextCursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, expected, "{sort}");
    }
    // A cursor belongs to its filter.
    let first = stage.tenant.owner.get("/api/workspaces?metadata.tier=gold&limit=2").await.expect(200);
    let cursor = first.text_of("nextCursor");
    let other = format!("/api/workspaces?metadata.tier=silver&limit=2&cursor={cursor}");
    assert_eq!(stage.tenant.owner.get(&other).await.expect(400).body["code"], "bad_cursor");
}

#[tokio::test]
async fn deleted_workspaces_are_found_by_their_labels_among_the_deleted() {
    let stage = Stage::new().await;
    let path = stage.make(Noun::Workspace, json!({ "externalId": "gone", "metadata": { "tier": "gold" } })).await;
    stage.tenant.owner.delete(&path).await.expect(204);
    for query in ["externalId=gone", "metadata.tier=gold"] {
        assert_eq!(stage.listed(Noun::Workspace, query).await, Vec::<String>::new());
        assert_eq!(stage.listed(Noun::Workspace, &format!("state=deleted&{query}")).await, [id(&path)]);
    }
}
