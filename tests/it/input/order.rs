//! Which part of a request is looked at first.

use tenantry_domain::KeyMode;
use tenantry_tests::{App, Operation, exchange};

#[tokio::test]
async fn the_body_of_a_request_without_a_good_credential_is_not_even_waited_for() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let well_formed = tenantry_auth::issue(acme.id, KeyMode::Live).unwrap();
    for operation in Operation::all().iter().filter(|operation| operation.body_schema().is_some()) {
        // The length is announced, and nothing comes.
        let request = |credential: &str, kind: &str| {
            format!(
                "{} {} HTTP/1.1\r\nHost: x\r\n{credential}Content-Type: {kind}\r\nContent-Length: 100\r\n\r\n",
                operation.method, operation.path
            )
        };
        for credential in [
            "",
            "Authorization: Bearer tnt_live_v1_x\r\n",
            "Authorization: Basic eDp5\r\n",
            "Authorization: Bearer a.b.c\r\n",
        ] {
            for kind in ["application/json", "text/plain"] {
                let answer = exchange(&app.base, request(credential, kind).as_bytes()).await;
                assert_eq!(answer.status, 401, "{operation} {credential}");
            }
        }
        // What only the database can tell comes behind the body.
        if !operation.needs_a_person() {
            let key = format!("Authorization: Bearer {}\r\n", well_formed.reveal());
            let answer = exchange(&app.base, request(&key, "text/plain").as_bytes()).await;
            assert_eq!(answer.status, 415, "{operation}");
        }
    }
}
