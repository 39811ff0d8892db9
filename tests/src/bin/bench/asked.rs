//! What is asked for: for each row of the tables its name, its request and who sends it.

use tenantry_domain::KeyMode;
use tenantry_tests::Tenant;

use crate::{
    client::{Load, Pace},
    requests::{NUMBER, Requests, text},
};

/// One of those who ask: a key or a person of a tenant, and what they ask for.
#[derive(Clone, Default)]
pub(crate) struct Caller {
    pub(crate) key: String,
    pub(crate) token: String,
    /// That of the service that they are shown to.
    pub(crate) service_key: String,
    /// A key that looks right and that nobody has issued.
    pub(crate) unknown_key: String,
    pub(crate) workspace: String,
    /// A workspace of another tenant.
    pub(crate) foreign: String,
    /// What is in the names of ten of the tenant's workspaces.
    pub(crate) word: String,
    /// A hundred questions about as many of the tenant's workspaces, as JSON.
    pub(crate) questions: String,
}

impl Caller {
    /// The owner of a tenant, who asks for this workspace.
    pub(crate) fn owner(tenant: &Tenant, workspace: &str) -> Self {
        Self { key: tenant.owner.key().to_owned(), workspace: workspace.to_owned(), ..Self::default() }
    }
}

/// A key of this tenant that nobody has issued.
pub(crate) fn unknown_key(tenant: tenantry_domain::TenantId) -> String {
    tenantry_auth::issue(tenant, KeyMode::Live).unwrap().reveal().to_owned()
}

/// This key with another last character, which is part of a checksum.
pub(crate) fn mistyped(key: &str) -> String {
    let (start, last) = key.split_at(key.len().saturating_sub(1));
    format!("{start}{}", if last == "x" { "y" } else { "x" })
}

/// With which credential.
#[derive(Clone, Copy)]
enum With {
    Key,
    Token,
    UnknownKey,
    MistypedKey,
    ServiceKey,
}

/// A row.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    with: With,
    method: &'static str,
    /// The members of a [`Caller`] are in braces, here and in the body.
    path: &'static str,
    /// `#` stands for a [`NUMBER`].
    body: &'static str,
    /// The status of its answer, if it is not one of success.
    answer: Option<u16>,
}

const fn get(name: &'static str, with: With, path: &'static str) -> Row {
    Row { name, with, method: "GET", path, body: "", answer: None }
}

const ONE: &str = "/api/workspaces/{workspace}";

pub(crate) const BARE: Row = get("bare answer", With::Key, "/");
pub(crate) const TOKEN: Row = get("access token checked, fixed answer", With::Token, "/");
pub(crate) const LOOK_UP: Row = get("look-up, key", With::Key, ONE);
pub(crate) const LOOK_UP_BY_TOKEN: Row = get("look-up, token", With::Token, ONE);
pub(crate) const EFFECTIVE: Row = get("effective", With::Key, "/api/workspaces/{workspace}/effective");
pub(crate) const CALLFLUENT: Row = get("CallFluent get/1", With::Key, "/api/workspace/get/1");
pub(crate) const ALL: Row = get("CallFluent get-all", With::Key, "/api/workspace/get-all");
pub(crate) const ME: Row = get("me", With::Token, "/api/me");
pub(crate) const TENANT: Row = get("tenant", With::Key, "/api/tenant");
pub(crate) const PAGE: Row = get("page of 50", With::Key, "/api/workspaces?limit=50");
pub(crate) const SEARCH: Row = get("search, ten hits", With::Key, "/api/workspaces?q={word}");
pub(crate) const CREATE: Row =
    Row { method: "POST", body: r#"{"name":"Another","country":"SE"}"#, ..get("create", With::Key, "/api/workspaces") };
pub(crate) const UPDATE: Row =
    Row { method: "PATCH", body: r##"{"name":"Renamed #"}"##, ..get("update", With::Key, ONE) };
pub(crate) const USAGE: Row = Row {
    method: "POST",
    body: r##"{"seconds":1,"reference":"call-#"}"##,
    ..get("usage entry", With::Key, "/api/workspaces/{workspace}/usage")
};
pub(crate) const UNKNOWN_KEY: Row = Row { answer: Some(401), ..get("unknown key", With::UnknownKey, ONE) };
pub(crate) const MISTYPED_KEY: Row =
    Row { answer: Some(401), ..get("mistyped key (no database)", With::MistypedKey, ONE) };
pub(crate) const FOREIGN: Row =
    Row { answer: Some(404), ..get("id of another tenant", With::Key, "/api/workspaces/{foreign}") };

pub(crate) const INTROSPECT: Row = Row {
    method: "POST",
    body: r#"{"token":"{key}","questions":[{"permission":"workspace.read","workspaceId":"{workspace}"}]}"#,
    ..get("introspection, one question", With::ServiceKey, "/api/introspect")
};

pub(crate) const INTROSPECT_MANY: Row = Row {
    method: "POST",
    body: r#"{"token":"{key}","questions":{questions}}"#,
    ..get("introspection, 100 questions", With::ServiceKey, "/api/introspect")
};

impl Row {
    /// What these callers send.
    pub(crate) fn requests(&self, callers: &[Caller]) -> Requests {
        Requests::new(callers.iter().map(|caller| self.request(caller)), self.answer)
    }

    /// What these callers send to the service at this address.
    pub(crate) fn load(&self, base: &str, callers: &[Caller], connections: usize, pace: Pace) -> Load {
        Load { base: base.to_owned(), requests: self.requests(callers), connections, pace }
    }

    /// Whether it changes something.
    pub(crate) fn writes(&self) -> bool {
        self.method != "GET" && !matches!(self.with, With::ServiceKey)
    }

    fn request(&self, caller: &Caller) -> std::sync::Arc<str> {
        let Caller { key, token, service_key, unknown_key, workspace, foreign, word, questions } = caller;
        let credential = match self.with {
            With::Key => key.clone(),
            With::Token => token.clone(),
            With::UnknownKey => unknown_key.clone(),
            With::MistypedKey => mistyped(key),
            With::ServiceKey => service_key.clone(),
        };
        let members = [
            ("{workspace}", workspace),
            ("{foreign}", foreign),
            ("{word}", word),
            ("{key}", key),
            ("{questions}", questions),
        ];
        let filled = |text: String| members.iter().fold(text, |text, (name, value)| text.replace(name, value));
        text(self.method, &filled(self.path.to_owned()), &credential, &filled(self.body.replace('#', NUMBER)))
    }
}
