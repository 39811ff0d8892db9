//! Parameters that no operation has.

use tenantry_domain::Role;
use tenantry_tests::{App, Operation};

#[tokio::test]
async fn an_unknown_parameter_is_refused_by_every_operation_once_the_credential_holds() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (_, person) = acme.member(Role::Owner, &[]).await;
    for operation in Operation::all().iter().filter(|operation| operation.needs_credential()) {
        let client = if operation.is_of_the_platform() { app.platform() } else { person.clone() };
        let send = async |client: &tenantry_tests::Client, query: &str| {
            client.send(client.request(&operation.method, &format!("{}{query}", operation.path))).await
        };
        let refused = send(&client, "?speling=1&x=").await.expect(422);
        if operation.is_of_the_dialect() {
            assert_eq!(refused.body["status"], false, "{operation}");
        } else {
            let unknown = |name: &str| (name.to_owned(), "unknown_field".to_owned());
            let all = refused.refused();
            assert!(all.contains(&unknown("speling")) && all.contains(&unknown("x")), "{operation}: {all:?}");
        }
        // Whoever has no credential hears nothing else.
        send(&app.client(), "?speling=1").await.expect(401);
        let many: Vec<_> = (0..101).map(|at| format!("p{at}=")).collect();
        assert_eq!(send(&client, &format!("?{}", many.join("&"))).await.status, 400, "{operation}");
    }
    for path in ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"] {
        app.client().get(&format!("{path}?t=1")).await.expect(200);
    }
}
