//! Ids of another tenant, in paths and in bodies: the answer is that to an id that was never used.

use serde_json::{Value, json};
use tenantry_tests::{Answer, Client, Operation, Rows, Target};
use uuid::Uuid;

use super::{World, comparable};

super::behind_each_wall! {
    an_id_of_another_tenant_is_an_id_that_was_never_used, an_id_of_another_tenant_is_unknown_to_the_conditions_alone;
    an_id_of_another_tenant_in_a_body_is_refused_by_name, an_id_of_another_tenant_in_a_body_is_unknown_to_the_conditions_alone;
}

/// What is not an id of ours, each in its own way.
fn malformed(id: &str) -> Vec<String> {
    let forms =
        ["1", "0", "-1", "01", "%2B1", "1.0", "9223372036854775808", "%EF%BC%91", "1;2", "1%00", "%20", "..%2Fx", "*"];
    let mut forms: Vec<_> = forms.map(str::to_owned).to_vec();
    forms.extend([
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
        id.replace('-', ""),
        format!("{id}%00"),
        format!("{id}%20"),
        format!("{id};"),
        format!("{}x", &id[..35]),
    ]);
    forms
}

async fn with_header(client: &Client, operation: &Operation, path: &str, header: (&str, &str)) -> Answer {
    let mut request = client.request(&operation.method, path).header(header.0, header.1);
    if let Some(body) = operation.body() {
        request = request.json(&body);
    }
    client.send(request).await
}

impl World {
    async fn an_id_of_another_tenant_is_an_id_that_was_never_used(&self) {
        for operation in Operation::of_the_api() {
            for number in 0..operation.ids() {
                self.is_unknown_to_the_other_tenant(&operation, number).await;
            }
        }
        // Without an id, where the tenant itself is what an operation starts from.
        let mut rows = Rows::of(&self.app.database);
        for operation in Operation::of_the_api().iter().filter(|operation| !operation.has_id()) {
            let before = rows.of_others(self.ours.id);
            let answer = operation.send(&self.ours.owner, &operation.path, operation.body().as_ref()).await;
            assert!((200..300).contains(&answer.status), "{operation}: {}", answer.text);
            assert!(!answer.text.contains(&self.theirs.id.to_string()), "{operation}: {}", answer.text);
            assert_eq!(rows.of_others(self.ours.id), before, "{operation} stays at home");
        }
    }

    /// One id of the path is ours, and the others are theirs.
    async fn is_unknown_to_the_other_tenant(&self, operation: &Operation, number: usize) {
        let mut rows = Rows::of(&self.app.database);
        let (mut target, body) = (Target::of(&self.ours).await, operation.body());
        let path = target.path(operation).await;
        let home = Target::of(&self.theirs).await.path(operation).await;
        let id = operation.id_in(&path, number);
        let before = rows.all();
        let unused = operation.with_id(&home, number, &Uuid::now_v7().to_string());
        let expected = comparable(&operation.send(&self.theirs.owner, &unused, body.as_ref()).await.expect(404));
        let kin = [self.ours.id.to_string(), self.ours.brand.clone(), target.brand().to_owned(), id.to_uppercase()];
        for id in kin.into_iter().chain([id.clone(), Uuid::nil().to_string()]).chain(malformed(&id)) {
            let path = operation.with_id(&home, number, &id);
            let answer = operation.send(&self.theirs.owner, &path, body.as_ref()).await;
            assert_eq!(comparable(&answer), expected, "{} {path}", operation.method);
        }
        let foreign = operation.with_id(&home, number, &id);
        for header in [("If-None-Match", "\"1\""), ("If-None-Match", "*"), ("If-Match", "\"1\""), ("If-Match", "*")] {
            let answer = with_header(&self.theirs.owner, operation, &foreign, header).await;
            assert_eq!(comparable(&answer), expected, "{operation} with {header:?}");
        }
        for client in [self.app.client(), self.app.client().with_key("tnt_live_v1_mistyped")] {
            let (there, never) =
                (operation.send(&client, &foreign, None).await, operation.send(&client, &unused, None).await);
            assert_eq!(comparable(&there.expect(401)), comparable(&never), "{operation}");
        }
        assert_eq!(rows.all(), before, "{operation} of another tenant's thing leaves nothing");
        self.is_found_by_its_own_tenant(operation, &path, number, body.as_ref()).await;
    }

    /// The control: the same path is good in the hands of its own tenant, with the id in either case and in no other form.
    async fn is_found_by_its_own_tenant(&self, operation: &Operation, path: &str, number: usize, body: Option<&Value>) {
        let id = operation.id_in(path, number);
        for form in malformed(&id) {
            let answer = operation.send(&self.ours.owner, &operation.with_id(path, number, &form), body).await;
            assert_eq!(answer.status, 404, "{operation} with {form}: {}", answer.text);
        }
        // An external ID is what somebody else wrote: its case counts.
        let other = if operation.path.ends_with("{externalId}") { id } else { id.to_uppercase() };
        let found = operation.send(&self.ours.owner, &operation.with_id(path, number, &other), body).await;
        assert!((200..300).contains(&found.status), "{operation} {path}: {}", found.text);
    }

    async fn an_id_of_another_tenant_in_a_body_is_refused_by_name(&self) {
        let mut rows = Rows::of(&self.app.database);
        let foreign = [self.ours.workspace("Ours").await, self.ours.brand.clone(), self.ours.id.to_string()];
        let mut tried = Vec::new();
        for operation in Operation::writing() {
            for member in ids_in_body(&operation) {
                let path = Target::of(&self.theirs).await.path(&operation).await;
                let before = rows.all();
                let unused = self.named(&operation, &path, &member, &Uuid::now_v7().to_string()).await;
                assert_eq!(unused.status, 422, "{operation} {member}: {}", unused.text);
                assert_eq!(unused.refused(), [(member.clone(), "not_found".to_owned())], "{operation}");
                for id in &foreign {
                    let answer = self.named(&operation, &path, &member, id).await;
                    assert_eq!(comparable(&answer), comparable(&unused), "{operation} with {member} of another tenant");
                }
                assert_eq!(rows.all(), before, "{operation} with {member} of another tenant leaves nothing");
                tried.push(format!("{operation} {member}"));
            }
        }
        assert!(tried.contains(&"POST /api/workspaces brandId".to_owned()), "{tried:?}");
        assert!(tried.contains(&"PATCH /api/workspaces/{workspaceId} brandId".to_owned()), "{tried:?}");
        assert!(tried.contains(&"POST /api/api-keys workspaceId".to_owned()), "{tried:?}");
        assert!(tried.contains(&"POST /api/api-keys brandId".to_owned()), "{tried:?}");
    }

    /// The operation with this id as a member of its body.
    async fn named(&self, operation: &Operation, path: &str, member: &str, id: &str) -> Answer {
        let mut body = operation.body().unwrap();
        body[member] = json!(id);
        operation.send(&self.theirs.owner, path, Some(&body)).await
    }
}

/// The members of a body that the document says are ids.
fn ids_in_body(operation: &Operation) -> Vec<String> {
    let Some(schema) = operation.body_schema() else { return Vec::new() };
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties.filter(|(_, schema)| schema["format"] == "uuid").map(|(name, _)| name.clone()).collect()
}
