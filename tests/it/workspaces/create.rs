//! What a workspace starts with, and what is refused.

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_tests::App;

#[tokio::test]
async fn a_country_brings_its_language_and_currency_and_the_location_answers() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let body = json!({ "name": "Nordics", "country": "SE", "workspaceType": "b2c" });
    let made = acme.owner.post("/api/workspaces", body).await.expect(201);
    let got =
        ["name", "country", "operatingLanguage", "currency", "workspaceType"].map(|member| made.body[member].clone());
    assert_eq!(json!(got), json!(["Nordics", "SE", "sv", "SEK", "b2c"]));
    assert_eq!(made.body["brandId"], acme.brand, "under the default brand");
    let location = made.header("location");
    assert_eq!(location, format!("/api/workspaces/{}", made.id()));
    let found = acme.owner.get(location).await.expect(200);
    assert_eq!((&found.body, found.etag()), (&made.body, made.etag()));
    // A name is all it takes.
    let made = acme.owner.post("/api/workspaces", json!({ "name": " \u{a0}Least\t" })).await.expect(201).body;
    assert_eq!([&made["name"], &made["country"]], ["Least", "DE"]);
}

#[tokio::test]
async fn a_name_is_seen_and_is_one_name_in_either_spelling() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for blank in ["\u{200b}", "\u{3164}", "\u{2800}", "\u{ad}", "\u{feff}", " \u{2060}\u{301} "] {
        let refused = acme.owner.post("/api/workspaces", json!({ "name": blank })).await.expect(422);
        assert_eq!(refused.refused(), [("name".to_owned(), "empty".to_owned())], "{blank:?}");
    }
    let made = acme.owner.post("/api/workspaces", json!({ "name": "Mu\u{308}ller" })).await.expect(201);
    assert_eq!(made.body["name"], "M\u{fc}ller");
    // What an earlier version stored is shown.
    app.database.admin().batch_execute("UPDATE workspaces SET name = U&'\\200B'").unwrap();
    let path = format!("/api/workspaces/{}", made.id());
    assert_eq!(acme.owner.get(&path).await.expect(200).body["name"], "\u{200b}");
    acme.owner.patch(&path, json!({ "country": "AT" })).await.expect(200);
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let body = json!({ "country": "uk", "currency": "HRK", "workspaceType": "B2B" });
    let refused = acme.owner.post("/api/workspaces", body).await.expect(422);
    let fields = refused.refused();
    let fields: Vec<_> = fields.iter().map(|(field, code)| (field.as_str(), code.as_str())).collect();
    let four = [
        ("country", "unknown_country"),
        ("currency", "unknown_currency"),
        ("name", "required"),
        ("workspaceType", "wrong_case"),
    ];
    assert_eq!(fields, four);
    let messages: Vec<_> =
        refused.body["fields"].as_array().unwrap().iter().map(|field| field["message"].as_str().unwrap()).collect();
    for (message, hint) in messages.iter().zip(["use \"GB\"", "use \"EUR\"", "is required", "use \"b2b\""]) {
        assert!(message.contains(hint), "{message}");
        assert!(refused.text_of("error").contains(message));
    }
    let refused = acme.owner.post("/api/workspaces", json!({ "name": "x", "colour": 1 })).await.expect(422);
    assert_eq!(refused.refused(), [("colour".to_owned(), "unknown_field".to_owned())]);
    assert_eq!(refused.body["error"], "colour is unknown (check the spelling).");
    let refused = acme.owner.post("/api/workspaces", json!({ "name": null })).await.expect(422);
    assert_eq!(refused.body["error"], "name is required and must not be null.");
    assert_eq!(acme.owner.get("/api/workspaces").await.body["data"], json!([]), "nothing was created");
}

#[tokio::test]
async fn a_country_that_has_no_language_or_currency_asks_for_them() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let refused = acme.owner.post("/api/workspaces", json!({ "name": "Station", "country": "AQ" })).await.expect(422);
    let fields: Vec<_> = refused.refused().into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["operatingLanguage", "currency"]);
    let body = json!({ "name": "Station", "country": "AQ", "operatingLanguage": "en", "currency": "USD" });
    acme.owner.post("/api/workspaces", body).await.expect(201);
}

#[tokio::test]
async fn codes_are_taken_as_the_lists_have_them_and_in_no_other_form() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for (member, bad) in [
        ("country", ["de", "De", "XK", "EU", "UK", "AN", "D", "DEU", " DE", "DE ", "ＤＥ", "276", "ZZ", ""]),
        ("operatingLanguage", ["DE", "iw", "in", "ji", "mo", "sh", "deu", "de-DE", "d", " de", "xx", "zz", "ｄe", ""]),
        ("currency", ["eur", "HRK", "ANG", "BGN", "XAU", "XTS", "XXX", "EU", "EURO", " EUR", "978", "€", "ＥUR", ""]),
        (
            "workspaceType",
            ["B2B", "b2b ", "b2c2", "", "ｂ2b", "0", "b2g", "B2C", "null", "b2b,b2c", "b 2 b", "true", "b2b\n", "ß2b"],
        ),
    ] {
        for bad in bad {
            let refused = acme.owner.post("/api/workspaces", json!({ "name": "x", member: bad })).await.expect(422);
            assert_eq!(refused.refused().len(), 1, "{member} {bad:?}: {}", refused.text);
            assert_eq!(refused.refused()[0].0, member);
        }
        for bad in [json!(["b2b"]), json!(0), json!({ "code": "DE" }), Value::Null, json!(true)] {
            acme.owner.post("/api/workspaces", json!({ "name": "x", member: bad })).await.expect(422);
        }
    }
}

#[tokio::test]
async fn a_workspace_goes_under_a_brand_of_its_own_tenant_and_no_other() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let beta = app.tenant("Beta").await;
    let second = acme.brand("Second").await;
    for id in [second.clone(), second.to_uppercase()] {
        let made = acme.owner.post("/api/workspaces", json!({ "name": "x", "brandId": id })).await.expect(201);
        assert_eq!(made.body["brandId"], second);
    }
    let mut refusals = Vec::new();
    for id in [beta.brand.clone(), uuid::Uuid::now_v7().to_string(), uuid::Uuid::nil().to_string()] {
        let refused = acme.owner.post("/api/workspaces", json!({ "name": "x", "brandId": id })).await.expect(422);
        assert_eq!(refused.refused(), [("brandId".to_owned(), "not_found".to_owned())]);
        refusals.push(refused.without_request_id());
    }
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]), "a foreign brand is like none");
    for bad in ["", "1", &second.replace('-', ""), &format!("{{{second}}}"), &format!("urn:uuid:{second}")] {
        let refused = acme.owner.post("/api/workspaces", json!({ "name": "x", "brandId": bad })).await.expect(422);
        assert_eq!(refused.refused(), [("brandId".to_owned(), "not_a_uuid".to_owned())]);
    }
    assert_eq!(beta.owner.get("/api/workspaces").await.body["data"], json!([]));
}
