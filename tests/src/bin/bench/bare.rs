//! The same web server without the service behind it: what an answer costs at least.

use std::net::TcpListener;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::header::AUTHORIZATION, web};
use chrono::Utc;
use serde_json::Value;
use tenantry_auth::jwt::Issuers;

/// How many threads answer, here and in the service.
pub(crate) const WORKERS: usize = 2;

/// Answers `/` with this body, after it has checked the access token if there are issuers. Returns its address.
pub(crate) fn serve(body: Value, issuers: Option<Issuers>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = HttpServer::new(move || {
        App::new().app_data(web::Data::new((body.clone(), issuers.clone()))).default_service(web::to(answer))
    });
    tokio::spawn(server.workers(WORKERS).disable_signals().listen(listener).unwrap().run());
    base
}

async fn answer(request: HttpRequest, shared: web::Data<(Value, Option<Issuers>)>) -> HttpResponse {
    let (body, issuers) = &**shared;
    if let Some(issuers) = issuers {
        let credential =
            request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let Some(token) = credential else { return HttpResponse::Unauthorized().finish() };
        if issuers.verify(token, Utc::now()).await.is_err() {
            return HttpResponse::Unauthorized().finish();
        }
    }
    HttpResponse::Ok().json(body)
}
