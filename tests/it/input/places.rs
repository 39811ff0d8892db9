//! Every naughty string as every parameter of a query and as every part of a path.

use futures_util::{StreamExt, stream};
use tenantry_tests::{App, problem};

use super::strings::naughty;

#[tokio::test]
async fn a_naughty_query_is_answered_or_refused() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    acme.workspace("DACH").await;
    let lists = [
        (
            "/api/workspaces",
            ["state", "brandId", "country", "operatingLanguage", "currency", "workspaceType"].as_slice(),
        ),
        ("/api/brands", &[]),
        ("/api/api-keys", &[]),
        ("/api/members", &["role", "status", "workspaceId"]),
        ("/api/invitations", &["state", "role"]),
        ("/api/audit-events", &["actorId", "actorType", "action", "subjectId", "subjectType", "from", "until"]),
    ];
    let strings = naughty();
    for (list, filters) in lists {
        for parameter in ["q", "sort", "limit", "cursor", "unknown"].iter().chain(filters) {
            let each = stream::iter(strings.iter().filter(|text| text.len() < 15_000))
                .map(|text| acme.owner.send(acme.owner.request("GET", list).query(&[(parameter, text)])));
            let answers: Vec<_> = each.buffer_unordered(4).collect().await;
            for answer in answers {
                if answer.status != 200 {
                    assert!(
                        matches!(answer.status, 400 | 422),
                        "{list} {parameter}: {} {}",
                        answer.status,
                        answer.text
                    );
                    problem(&answer);
                }
                // The cursor apart, no parameter is good for more than a handful of these.
                assert!(answer.status != 200 || !matches!(*parameter, "unknown" | "cursor"), "{list} {parameter}");
            }
        }
        for name in
            strings.iter().filter(|text| text.len() < 15_000 && !["q", "limit", "sort"].contains(&text.as_str()))
        {
            let refused = acme.owner.send(acme.owner.request("GET", list).query(&[(name, "x")])).await;
            assert!(matches!(refused.status, 400 | 422), "{list} {name:.40?}: {}", refused.text);
        }
    }
}

/// All of it escaped, so that it arrives as one part of the path.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn a_naughty_id_is_like_one_that_was_never_used() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let unused = uuid::Uuid::now_v7();
    let id = acme.workspace("DACH").await;
    let mut strings: Vec<_> = naughty().into_iter().filter(|text| !text.is_empty() && text.len() < 5_000).collect();
    let (bare, urn, spaced) = (id.replace('-', ""), format!("urn:uuid:{id}"), format!("{id} "));
    strings.extend([
        bare,
        urn,
        spaced,
        format!("{{{id}}}"),
        format!("{id};v=1"),
        format!("{id}\0"),
        format!("{id}/"),
        format!("{id}/.."),
    ]);
    for (noun, rest) in [("workspaces", ""), ("workspaces", "/effective"), ("brands", ""), ("api-keys", "")] {
        let like = acme.owner.get(&format!("/api/{noun}/{unused}{rest}")).await.expect(404);
        let paths = strings.iter().map(|text| format!("/api/{noun}/{}{rest}", escaped(text)));
        let answers: Vec<_> =
            stream::iter(paths).map(async |path| acme.owner.get(&path).await).buffer_unordered(4).collect().await;
        for answer in answers {
            assert_eq!(answer.status, 404, "{}", answer.text);
            let code = answer.body["code"].as_str().unwrap();
            // `.` and `..` are taken away by whoever sends them.
            assert!(
                code == "no_such_route" || answer.without_request_id() == like.without_request_id(),
                "{}",
                answer.text
            );
            problem(&answer);
        }
    }
    // In either case, an id is an id.
    acme.owner.get(&format!("/api/workspaces/{}", id.to_uppercase())).await.expect(200);
    acme.owner.get(&format!("/api/workspaces/{}", escaped(&id))).await.expect(200);
}
