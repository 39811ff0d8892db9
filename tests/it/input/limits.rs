//! Lengths: at the limit, one beyond, far beyond; counted in characters.

use serde_json::{Value, json};
use tenantry_tests::App;

#[tokio::test]
async fn each_length_limit_is_exact_and_counts_characters() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    let brand = format!("/api/brands/{}", acme.brand);
    for (path, member, limit) in [
        (&*workspace, "name", 120),
        (&workspace, "workspaceInstructions", 10_000),
        (&workspace, "emailSignatureHtml", 20_000),
        (&workspace, "emailSignatureText", 5_000),
        (&brand, "name", 120),
        (&brand, "emailFromName", 120),
        (&brand, "aiSenderName", 120),
        (&brand, "aiSenderTitle", 120),
        (&brand, "brandInstructions", 10_000),
        (&brand, "emailSignatureHtml", 20_000),
        (&brand, "emailSignatureText", 5_000),
        ("/api/tenant", "name", 120),
    ] {
        for c in ["x", "é", "漢", "😀", "\u{10FFFF}"] {
            let fits = c.repeat(limit);
            let kept = acme.owner.patch(path, json!({ member: fits })).await.expect(200);
            assert_eq!(kept.body[member], fits);
            for length in [limit + 1, limit * 10] {
                let body = json!({ member: c.repeat(length) });
                if body.to_string().len() > 500_000 {
                    continue;
                }
                let refused = acme.owner.patch(path, body).await.expect(422);
                assert_eq!(refused.refused(), [(member.to_owned(), "too_long".to_owned())], "{member} {length}");
                assert!(refused.text_of("error").contains(&limit.to_string()));
            }
        }
    }
    for (member, limit, long) in [
        ("slug", 60, "a".repeat(61)),
        ("logoUrl", 2_048, format!("https://a.example/{}", "x".repeat(2_031))),
        ("aiSenderAvatarUrl", 2_048, format!("https://a.example/{}", "x".repeat(2_031))),
    ] {
        let fits = &long[..limit];
        assert_eq!(acme.owner.patch(&brand, json!({ member: fits })).await.expect(200).body[member], fits);
        let refused = acme.owner.patch(&brand, json!({ member: long })).await.expect(422);
        assert_eq!(refused.refused(), [(member.to_owned(), "too_long".to_owned())]);
    }
}

#[tokio::test]
async fn white_space_around_a_name_counts_and_is_taken_off_and_nothing_but_white_space_is_empty() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let padded = |length: usize| format!("\t {}\u{2003}\u{85}", "x".repeat(length - 4));
    let made = acme.owner.post("/api/workspaces", json!({ "name": padded(120) })).await.expect(201);
    assert_eq!(made.body["name"], "x".repeat(116));
    let refused = acme.owner.post("/api/workspaces", json!({ "name": padded(121) })).await.expect(422);
    assert_eq!(refused.refused(), [("name".to_owned(), "too_long".to_owned())]);
    let path = format!("/api/workspaces/{}", made.id());
    for member in ["name", "workspaceInstructions", "emailSignatureText"] {
        for empty in ["", " ", "\t", "\n", "\u{a0}", "\u{3000}", " \r\n \u{2003}"] {
            let refused = acme.owner.patch(&path, json!({ member: empty })).await.expect(422);
            assert_eq!(refused.refused(), [(member.to_owned(), "empty".to_owned())], "{member} {empty:?}");
        }
    }
    // White space inside, and around text of several lines, stays.
    let text = "  a  \n\n\tb\n";
    let kept = acme.owner.patch(&path, json!({ "emailSignatureText": text, "name": "a  b" })).await.expect(200);
    assert_eq!((&kept.body["emailSignatureText"], &kept.body["name"]), (&json!(text), &json!("a  b")));
}

#[tokio::test]
async fn a_brands_addresses_and_colours_are_taken_as_written_or_refused() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/brands/{}", acme.brand);
    for good in [
        "https://a.example/x?y=1#z",
        "https://a.example:8443/",
        "https://münchen.example/ä",
        "HTTPS://A.example/",
        "https://a.example",
    ] {
        assert_eq!(acme.owner.patch(&path, json!({ "logoUrl": good })).await.expect(200).body["logoUrl"], good);
    }
    for bad in [
        "http://a.example/",
        "//a.example/",
        "/logo.png",
        "logo.png",
        "ftp://a.example/",
        "javascript:alert(1)",
        "data:image/png;base64,AA",
        "file:///etc/passwd",
        "https://",
        "https://?x",
        "https://user@a.example/",
        "https://u:p@a.example/",
        "https://a b.example/",
        "https://a.example/\n",
        "https://a.example/\tx",
        " https://a.example/",
        "https://a.example:99999/",
        "https://[::1",
        "https://a..%zz/",
        "blob:https://a.example/x",
    ] {
        for member in ["logoUrl", "aiSenderAvatarUrl"] {
            let refused = acme.owner.patch(&path, json!({ member: bad })).await.expect(422);
            assert_eq!(refused.refused(), [(member.to_owned(), "not_an_https_url".to_owned())], "{bad}");
        }
    }
    for good in ["#000000", "#FFFFFF", "#aBcDeF"] {
        assert_eq!(
            acme.owner.patch(&path, json!({ "primaryColor": good })).await.expect(200).body["primaryColor"],
            good
        );
    }
    for bad in [
        "",
        "#",
        "000000",
        "#000",
        "#00000",
        "#0000000",
        "#00000g",
        "#００0000",
        "red",
        "rgb(0,0,0)",
        " #000000",
        "#000000\n",
    ] {
        acme.owner.patch(&path, json!({ "secondaryColor": bad })).await.expect(422);
    }
    assert_eq!(acme.owner.get(&path).await.expect(200).body["secondaryColor"], Value::Null);
}

#[tokio::test]
async fn a_number_that_none_can_be_is_refused_as_what_it_is() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/workspaces/{}/limits", acme.workspace("DACH").await);
    for (number, code, says) in [
        ("9223372036854775808", "out_of_range", "9.2"),
        ("1e30", "out_of_range", "1e30"),
        ("-1e30", "out_of_range", "-1e30"),
        ("1.5", "wrong_type", "must be a whole number, not 1.5"),
    ] {
        let number: Value = serde_json::from_str(number).unwrap();
        let refused = acme.owner.patch(&path, json!({ "maxMinutes": number })).await.expect(422);
        assert_eq!(refused.refused(), [("maxMinutes".to_owned(), code.to_owned())], "{number}");
        assert!(refused.text.contains(says), "{}", refused.text);
    }
}
