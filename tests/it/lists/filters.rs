//! Filters, the search text, and parameters that are not known.

use serde_json::json;
use tenantry_tests::App;

use super::each;

#[tokio::test]
async fn each_filter_leaves_what_it_says_and_filters_hold_together() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let other = acme.brand("Other").await;
    for (name, country, language, currency, kind, brand) in [
        ("one", "DE", "de", "EUR", "b2b", &acme.brand),
        ("two", "SE", "sv", "SEK", "b2c", &acme.brand),
        ("three", "AT", "de", "EUR", "b2c", &other),
    ] {
        let body = json!({ "name": name, "country": country, "operatingLanguage": language, "currency": currency,
                           "workspaceType": kind, "brandId": brand });
        acme.owner.post("/api/workspaces", body).await.expect(201);
    }
    let of_other = format!("brandId={other}");
    for (query, names) in [
        ("country=SE", vec!["two"]),
        ("operatingLanguage=de", vec!["one", "three"]),
        ("currency=EUR&workspaceType=b2b", vec!["one"]),
        ("workspaceType=b2c", vec!["two", "three"]),
        (&of_other, vec!["three"]),
        ("country=SE&currency=EUR", vec![]),
        ("q=T", vec!["two", "three"]),
        ("q=t&sort=-createdAt", vec!["three", "two"]),
        ("country=FR", vec![]),
        ("brandId=0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48", vec![]),
    ] {
        let found = acme.owner.get(&format!("/api/workspaces?{query}")).await.expect(200);
        assert_eq!(each(&found, "name"), names, "{query}");
    }
    for (query, field, code) in [
        ("country=se", "country", "wrong_case"),
        ("country=XK", "country", "unknown_country"),
        ("operatingLanguage=iw", "operatingLanguage", "unknown_language"),
        ("currency=", "currency", "unknown_currency"),
        ("workspaceType=B2B", "workspaceType", "wrong_case"),
        ("brandId=1", "brandId", "not_a_uuid"),
        ("q=", "q", "empty"),
        ("q=%20%20", "q", "empty"),
        ("q=a%00b", "q", "forbidden_character"),
        ("sort=secret_hash", "sort", "not_a_choice"),
        ("sort=name,id", "sort", "not_a_choice"),
        ("sort=(select%201)", "sort", "not_a_choice"),
        ("sort=-Name", "sort", "wrong_case"),
    ] {
        let refused = acme.owner.get(&format!("/api/workspaces?{query}")).await.expect(422);
        assert_eq!(refused.refused(), [(field.to_owned(), code.to_owned())], "{query}");
    }
}

#[tokio::test]
async fn the_search_text_is_taken_literally_and_in_either_case() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let names =
        ["100%", "100x", "a_b", "axb", r"back\slash", "O'Neil", "\"quoted\"", "ÄRGER", "x'; DROP TABLE brands;--"];
    for name in names {
        acme.workspace(name).await;
    }
    for (q, found) in [
        ("%", vec!["100%"]),
        ("0%", vec!["100%"]),
        ("_", vec!["a_b"]),
        (r"\", vec![r"back\slash"]),
        (r"\%", vec![]),
        (r"k\s", vec![r"back\slash"]),
        ("'", vec!["O'Neil", "x'; DROP TABLE brands;--"]),
        ("\"", vec!["\"quoted\""]),
        ("ärg", vec!["ÄRGER"]),
        ("X", vec!["100x", "axb", "x'; DROP TABLE brands;--"]),
        (".*", vec![]),
        ("' OR '1'='1", vec![]),
    ] {
        let request = acme.owner.request("GET", "/api/workspaces").query(&[("q", q)]);
        assert_eq!(each(&acme.owner.send(request).await.expect(200), "name"), found, "{q}");
    }
}

#[tokio::test]
async fn a_parameter_that_is_unknown_or_there_twice_is_refused_by_name() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for list in ["/api/workspaces", "/api/brands"] {
        for (query, name) in [("colour=1", "colour"), ("a[]=1", "a[]"), ("Limit=5", "Limit"), ("page=2", "page")] {
            let refused = acme.owner.get(&format!("{list}?{query}")).await.expect(422);
            assert_eq!(refused.refused(), [(name.to_owned(), "unknown_field".to_owned())], "{list}?{query}");
        }
        let twice = acme.owner.get(&format!("{list}?limit=1&limit=1")).await.expect(400);
        assert_eq!(twice.body["code"], "duplicate_parameter");
        assert_eq!(twice.body["error"], "The query has the parameter \"limit\" twice.");
        for unreadable in ["q=%ff", "q=%C0%80", "q=%ed%a0%80", "%ff=1"] {
            let refused = acme.owner.get(&format!("{list}?{unreadable}")).await.expect(400);
            assert_eq!(refused.body["code"], "unreadable_query", "{unreadable}");
        }
        // What is no escape stands for itself, as in forms of browsers.
        acme.owner.get(&format!("{list}?q=%zz&&")).await.expect(200);
        let many: Vec<_> = (0..3_000).map(|n| format!("p{n:04}=1")).collect();
        let refused = acme.owner.get(&format!("{list}?{}", many.join("&"))).await.expect(400);
        assert_eq!(refused.body["code"], "unreadable_query");
        let refused = acme.owner.get(&format!("{list}?{}", many[..100].join("&"))).await.expect(422);
        assert_eq!(refused.refused().len(), 100, "all of them by name");
    }
}
