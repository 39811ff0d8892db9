//! HTML signatures: what was taken away is said, and nothing reaches out of the box that a signature is shown in.

use std::str::FromStr;

use serde_json::{Value, json};
use tenantry_domain::SignatureHtml;
use tenantry_tests::App;

use crate::docs_page::browser::Driver;

const SENT: &str =
    "<p style=\"position:fixed;color:red\">Acme<img src=\"cid:logo@1\"></p><a href=\"skype:acme\">Call</a>";

#[tokio::test]
async fn what_was_removed_from_a_signature_is_in_the_answer_to_the_write_alone() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let removed = json!([
        { "kind": "style", "name": "position", "element": "p", "number": 1, "count": 1 },
        { "kind": "image", "name": "cid:logo@1", "element": "img", "number": 1, "count": 1 },
        { "kind": "link", "name": "skype:acme", "element": "a", "number": 1, "count": 1 },
    ]);
    for (list, new) in [
        ("/api/workspaces", json!({ "name": "DACH", "emailSignatureHtml": SENT })),
        ("/api/brands", json!({ "name": "Acme", "emailFromName": "Acme", "emailSignatureHtml": SENT })),
    ] {
        let made = acme.owner.post(list, new).await.expect(201);
        assert_eq!(made.body["removed"], removed, "{list}");
        let path = format!("{list}/{}", made.body["id"].as_str().unwrap());
        assert_eq!(acme.owner.get(&path).await.expect(200).body.get("removed"), None);
        let changed = acme.owner.patch(&path, json!({ "emailSignatureHtml": SENT })).await.expect(200);
        assert_eq!(changed.body["removed"], removed, "{list}");
        let kept = changed.body["emailSignatureHtml"].clone();
        for unremarkable in [json!({ "emailSignatureHtml": kept }), json!({ "emailSignatureHtml": null }), json!({})] {
            let changed = acme.owner.patch(&path, unremarkable).await.expect(200);
            assert_eq!(changed.body.get("removed"), None, "{list}");
        }
    }
}

#[tokio::test]
async fn a_strict_caller_gets_a_signature_as_it_was_sent_or_a_refusal_that_names_what_would_go() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    let brand = format!("/api/brands/{}", acme.brand);
    let refused = [("emailSignatureHtml".to_owned(), "not_allowed_in_email".to_owned())];
    for path in [&workspace, &brand] {
        let before = acme.owner.get(path).await.expect(200);
        let strict = format!("{path}?signature=strict");
        let answer = acme.owner.patch(&strict, json!({ "emailSignatureHtml": SENT })).await.expect(422);
        assert_eq!(answer.refused(), refused);
        let message = answer.body["fields"][0]["message"].as_str().unwrap();
        assert!(
            message.ends_with("style position of p 1, image cid:logo@1 of img 1, link skype:acme of a 1"),
            "{message}"
        );
        assert_eq!(acme.owner.get(path).await.expect(200).body, before.body);
        let fine = json!({ "emailSignatureHtml": "<P STYLE='Color: Red'>Acme<!-- x --><o:p></o:p>" });
        let stored = acme.owner.patch(&strict, fine).await.expect(200);
        assert_eq!(stored.body["emailSignatureHtml"], "<p style=\"color:Red\">Acme</p>");
        acme.owner.patch(&format!("{path}?signature=loose"), json!({})).await.expect(422);
    }
    let new = json!({ "name": "DACH", "emailFromName": "Acme", "emailSignatureHtml": SENT });
    assert_eq!(acme.owner.post("/api/brands?signature=strict", new).await.expect(422).refused(), refused);
    let new = json!({ "name": "DACH", "emailSignatureHtml": SENT });
    assert_eq!(acme.owner.post("/api/workspaces?signature=strict", new).await.expect(422).refused(), refused);
}

/// Signatures that try to take the clicks of the page around them.
const OVERLAYS: [&str; 22] = [
    "<a href=\"https://evil.example/\"><img src=\"@\" style=\"margin-top:-340px;margin-left:-40px;width:1200px;height:800px\"></a>",
    "<a href=\"https://evil.example/\" style=\"padding:200px\">x</a>",
    "<a href=\"https://evil.example/\" style=\"padding:12em;font-size:90px;line-height:1\">x</a>",
    "<b style=\"border:20px solid red;padding-top:30px\">x</b>",
    "<p style=\"margin:-99px\">x</p>",
    "<div style=\"height:1px\"><a href=\"https://evil.example/\"><img src=\"@\" width=\"300\" height=\"900\"></a></div>",
    "<div style=\"max-height:1px\"><img src=\"@\" height=\"900\"></div>",
    "<table><tr><td height=\"1\" style=\"display:block;height:1px\"><img src=\"@\" height=\"900\"></td></tr></table>",
    "<span style=\"display:inline-block;height:1px\"><img src=\"@\" height=\"900\"></span>",
    "<span style=\"display:inline-table;height:1px\"><img src=\"@\" height=\"900\"></span>",
    "<img src=\"@\" width=\"300\" height=\"900\" style=\"float:left\">",
    "<img src=\"@\" width=\"300\" height=\"900\" align=\"right\">",
    "<table align=\"left\"><tr><td><img src=\"@\" height=\"900\"></td></tr></table>x",
    "<div style=\"float:right;width:300px;min-height:900px\">x</div>",
    "<p style=\"text-indent:-900px;letter-spacing:-9px\">xxxxxxxxxxxxxx</p>",
    "<p style=\"line-height:1px\">&nbsp;</p><p style=\"line-height:1;font-size:90px\">X</p>",
    "<div style=\"position:fixed;inset:0;z-index:9\">x</div>",
    "<div style=\"transform:scale(99);opacity:.9\">x</div>",
    "<sup><sup><sup><sup><sup><sup><sup><sup>x</sup></sup></sup></sup></sup></sup></sup></sup>",
    "<img src=\"@\" style=\"width:1200px\"><hr size=\"100\"><hr style=\"height:900px\">",
    "<div style=\"width:1200px;height:90px;background:red\">x</div>",
    "<div style=\"overflow:hidden;height:9px\"><img src=\"@\" height=\"900\" style=\"float:left\"></div>",
];

/// Of a page with a signature in a box between other things: whether the signature is where a click outside of its box lands.
const OUTSIDE: &str = "
    const box = document.getElementById('box'), edge = box.getBoundingClientRect(), taken = [];
    for (let y = 1; y < innerHeight; y += 3)
        for (let x = 1; x < innerWidth; x += 5) {
            const inside = y >= edge.top - 10 && y <= edge.bottom + 10 && x >= edge.left - 10 && x <= edge.right + 10;
            const hit = document.elementFromPoint(x, y);
            if (!inside && hit !== box && box.contains(hit)) taken.push(`${x},${y} ${hit.outerHTML.slice(0, 80)}`);
        }
    return taken.slice(0, 3);";

#[tokio::test]
async fn no_signature_takes_a_click_outside_of_its_box() {
    let driver = Driver::start();
    let browser = driver.browser().await;
    browser.set_window_size(1200, 1400).await.unwrap();
    let picture = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
    for overlay in OVERLAYS {
        let signature = SignatureHtml::from_str(&overlay.replace('@', "https://img.example/x.gif")).unwrap();
        let shown = signature.as_str().replace("https://img.example/x.gif", picture);
        let page = format!(
            "<!DOCTYPE html><body style=\"margin:0\"><p style=\"height:300px\">above</p>\
             <div id=\"box\" style=\"width:900px;margin-left:100px\">{shown}</div><p style=\"height:900px\">below</p>"
        );
        let script = format!("document.open(); document.write({}); document.close();", Value::from(page));
        browser.goto("about:blank").await.unwrap();
        browser.execute(&script, vec![]).await.unwrap();
        let taken = browser.execute(OUTSIDE, vec![]).await.unwrap();
        assert_eq!(taken, json!([]), "{overlay}\nis kept as\n{}", signature.as_str());
    }
    browser.close().await.unwrap();
}
