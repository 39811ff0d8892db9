//! A client of the service, with or without a key.

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::Value;

/// Sends requests with one API key, or with none.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body as JSON; null where it is none.
    pub body: Value,
}

impl Client {
    /// A client without a key.
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, base: base.to_owned(), key: None }
    }

    /// The same client with this key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }

    /// The same client of another replica.
    #[must_use]
    pub fn at(&self, replica: &Self) -> Self {
        Self { base: replica.base.clone(), ..self.clone() }
    }

    /// The key.
    pub fn key(&self) -> &str {
        self.key.as_deref().unwrap_or_default()
    }

    /// The address of the service.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request to be completed and sent with [`Client::send`].
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let request = self.http.request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{}{path}", self.base));
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// Sends a request.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.expect("the service answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("the answer is whole and is text");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, headers, text, body }
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    /// Returns when the service answers this with 200. Until then it may say 503 and nothing else, for 30 seconds.
    pub async fn until_recovered(&self, path: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let answer = self.get(path).await;
            if answer.status != 503 {
                answer.expect(200);
                return;
            }
            assert!(Instant::now() < deadline, "the service does not recover: {path} answers 503");
        }
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path)).await
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request("POST", path).json(&body)).await
    }

    /// `PUT` with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request("PUT", path).json(&body)).await
    }

    /// `PATCH` with a JSON body.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request("PATCH", path).json(&body)).await
    }
}

impl Answer {
    /// This answer, which must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// A header; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The entity tag, which must be there.
    #[track_caller]
    pub fn etag(&self) -> &str {
        let etag = self.header("etag");
        assert!(etag.starts_with('"'), "a strong ETag: {etag:?}");
        etag
    }

    /// A member of the body as text.
    #[track_caller]
    pub fn text_of(&self, member: &str) -> String {
        self.body[member].as_str().unwrap_or_else(|| panic!("{member} in {}", self.text)).to_owned()
    }

    /// The `id` of the body.
    #[track_caller]
    pub fn id(&self) -> String {
        self.text_of("id")
    }

    /// The names of the refused fields with their codes, in order.
    pub fn refused(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let fields = self.body["fields"].as_array().cloned().unwrap_or_default();
        fields.iter().map(|field| (text(&field["field"]), text(&field["code"]))).collect()
    }

    /// The body without what differs from request to request.
    pub fn without_request_id(&self) -> Value {
        let mut body = self.body.clone();
        if let Some(body) = body.as_object_mut() {
            body.remove("requestId");
        }
        body
    }
}
