//! Bodies that are not JSON, not UTF-8, or say something twice.

use serde_json::json;
use tenantry_tests::{Answer, App, Client, problem};

async fn post(client: &Client, body: impl Into<Vec<u8>>) -> Answer {
    let request = client.request("POST", "/api/workspaces").header("Content-Type", "application/json");
    client.send(request.body(body.into())).await
}

async fn refused(client: &Client, body: impl Into<Vec<u8>>, code: &str) {
    let body = body.into();
    let answer = post(client, body.clone()).await;
    let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
    assert_eq!((answer.status, answer.body["code"].as_str()), (400, Some(code)), "{shown}: {}", answer.text);
    problem(&answer);
}

#[tokio::test]
async fn what_is_not_json_is_unreadable() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for body in [
        " ",
        "{",
        "}",
        "{\"name\"",
        "{\"name\":}",
        "{\"name\":\"x\",}",
        "{\"name\":\"x\"}}",
        "{\"name\":\"x\"} {}",
        "{,}",
        "{\"name\":\"x\" \"country\":\"DE\"}",
        "{name:\"x\"}",
        "{'name':'x'}",
        "{\"name\":'x'}",
        "{\"name\":\"x}",
        "{\"name\":\"a\nb\"}",
        "{\"name\":\"\\x41\"}",
        "{\"name\":\"\\u00g0\"}",
        "{\"name\":\"\\\"}",
        "{\"name\":tru}",
        "{\"name\":TRUE}",
        "{\"name\":NaN}",
        "{\"name\":Infinity}",
        "{\"name\":01}",
        "{\"name\":+1}",
        "{\"name\":.5}",
        "{\"name\":1.}",
        "{\"name\":0x10}",
        "{\"name\":1e}",
        "{\"name\":1e400}",
        "{\"name\":-1e400}",
        "{\"name\":-}",
        "{/**/}",
        "{}//",
        "#",
        "name=x",
        "<x/>",
        "\u{feff}\u{feff}{}",
        " \u{feff}{}",
        "{\u{feff}}",
        "{\"name\":\"x\"}\u{0}",
        "undefined",
        "{\"name\":\"x\"]",
        "\"",
        "{\"a\":{\"b\":[}}",
        "--x\r\n",
        "\u{2028}{}",
        "[",
        "[1",
        "[1,]",
        "[}",
        "\"x",
        "\"x\" y",
        "01",
        "1 2",
        "1x",
        "-",
        "tru",
        "nul",
        "[\"a\":1]",
    ] {
        refused(&acme.owner, body, "malformed_json").await;
    }
    for body in [
        "[]",
        "[{\"name\":\"x\"}]",
        "null",
        "true",
        "0",
        "-0",
        "1.5",
        "\"\"",
        "\"x\"",
        "123456789012345678901234567890",
        " [ ] ",
    ] {
        refused(&acme.owner, body, "not_an_object").await;
    }
    let digits = "9".repeat(100_000);
    for number in ["-0", "1.0", "9007199254740993", "9223372036854775808", "1e308", "0.1", "-1E-400", &digits] {
        let answer = post(&acme.owner, format!("{{\"name\":{number}}}")).await;
        assert!(matches!(answer.status, 400 | 422), "{number:.20}: {}", answer.text);
        problem(&answer);
    }
    assert_eq!(acme.owner.get("/api/workspaces").await.body["data"], json!([]));
}

#[tokio::test]
async fn what_is_not_unicode_is_unreadable_and_never_replaced() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for escape in ["\\ud800", "\\udc00", "\\ud800x", "\\ud800\\ud800", "\\udbff\\u0041", "a\\udfffb"] {
        refused(&acme.owner, format!("{{\"name\":\"{escape}\"}}"), "malformed_json").await;
        refused(&acme.owner, format!("{{\"{escape}\":1}}"), "malformed_json").await;
    }
    let bytes: [&[u8]; 12] = [
        b"\x80",
        b"\xff",
        b"\xfe\xff",
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xe0\x80\xaf",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf0\x80\x80\x80",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"a\xe2\x82",
    ];
    for bytes in bytes {
        refused(&acme.owner, [b"{\"name\":\"".as_slice(), bytes, b"\"}"].concat(), "malformed_json").await;
        refused(&acme.owner, [b"{\"name\":\"x\",\"".as_slice(), bytes, b"\":1}"].concat(), "malformed_json").await;
    }
    let text = "{\"name\":\"x\"}";
    for body in [
        text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
        text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        [b"\xff\xfe".to_vec(), text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat(),
    ] {
        refused(&acme.owner, body, "malformed_json").await;
    }
    let marked = [b"\xff\xfe".to_vec(), text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat();
    let message = post(&acme.owner, marked).await.expect(400).text_of("error");
    assert!(message.contains("UTF-16"), "{message}");
    // A byte order mark in front says nothing.
    let made = post(&acme.owner, [b"\xef\xbb\xbf", text.as_bytes()].concat()).await.expect(201);
    assert_eq!(made.body["name"], "x");
    assert_eq!(post(&acme.owner, b"\xef\xbb\xbf").await.expect(422).refused()[0].1, "required");
    // A pair of surrogates is a character.
    let made = post(&acme.owner, "{\"name\":\"\\ud83d\\ude00\"}").await.expect(201);
    assert_eq!(made.body["name"], "😀");
}

#[tokio::test]
async fn a_member_that_is_there_twice_is_refused_by_name() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for (body, name) in [
        ("{\"name\":\"a\",\"name\":\"b\"}", "name"),
        ("{\"name\":\"a\",\"\\u006eame\":\"a\"}", "name"),
        ("{\"name\":\"a\",\"country\":\"DE\",\"country\":null}", "country"),
        ("{\"name\":\"a\",\"emailSignatureHtml\":1,\"emailSignatureHtml\":2}", "emailSignatureHtml"),
    ] {
        let answer = post(&acme.owner, body).await.expect(400);
        assert_eq!(answer.body["code"], "duplicate_field");
        assert_eq!(answer.body["error"], format!("The body has the field \"{name}\" twice."));
        problem(&answer);
    }
    let unknown = post(&acme.owner, "{\"name\":\"a\",\"x\":1,\"x\":2}").await.expect(422);
    assert_eq!(unknown.refused(), [("x".to_owned(), "unknown_field".to_owned())]);
    let path = format!("/api/brands/{}", acme.brand);
    let request = acme.owner.request("PATCH", &path).header("Content-Type", "application/json");
    let twice = acme.owner.send(request.body("{\"isDefault\":true,\"isDefault\":false}")).await.expect(400);
    assert_eq!(twice.body["code"], "duplicate_field");
}

#[tokio::test]
async fn depth_and_width_are_bounded() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let nested = [deep("[", "]"), "[".repeat(100_000), "{\"a\":".repeat(100_000), "{\"name\":".repeat(60_000)];
    for body in nested {
        let answer = post(&acme.owner, body.clone()).await;
        assert!(matches!(answer.status, 400 | 413), "{}", answer.text);
        problem(&answer);
        for member in ["name", "unknown", "brandId"] {
            let answer = post(&acme.owner, format!("{{\"{member}\":{body}}}")).await;
            assert!(matches!(answer.status, 400 | 413 | 422), "{member}: {}", answer.text);
            problem(&answer);
        }
    }
    let wide = |count: usize| {
        let keys: Vec<_> = (0..count).map(|n| format!("\"{n}\":0")).collect();
        format!("{{{}}}", keys.join(","))
    };
    // All of them by name, and `name`, which is missing.
    let named = post(&acme.owner, wide(100)).await.expect(422);
    problem(&named);
    assert_eq!(named.refused().len(), 101);
    for count in [101, 45_000] {
        refused(&acme.owner, wide(count), "body_too_complex").await;
    }
    let list = |count: usize| format!("{{\"name\":[{}0]}}", "0,".repeat(count));
    let wrong = post(&acme.owner, list(900)).await.expect(422);
    assert_eq!(wrong.refused(), [("name".to_owned(), "wrong_type".to_owned())]);
    refused(&acme.owner, list(200_000), "body_too_complex").await;
    let key = format!("{{\"name\":\"x\",\"{}\":1}}", "k".repeat(100_000));
    assert!(post(&acme.owner, key).await.expect(422).text.len() < 2_000);
}
