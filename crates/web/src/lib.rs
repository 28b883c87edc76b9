//! Shows: the API for programs, metrics and health for the operator's own monitoring.
//!
//! Metrics and health ask for no login: the binary serves them on loopback unless the operator says otherwise. Everything
//! here is a router; a [`listen::Face`] carries any of them.

pub mod api;
mod background;
pub mod challenge;
pub mod console;
pub mod letters;
pub mod listen;
mod shares;
mod whole;

pub use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use prometheus_client::registry::Registry;
use serde::Serialize;
use std::sync::Arc;

/// Whether the relay does its work now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// It takes and delivers mail.
    pub ready: bool,
    /// Why not, or what is not as it should be, in words.
    pub reasons: Vec<String>,
}

/// What the pages are made from.
#[derive(Clone)]
pub struct Pages {
    /// Everything that is counted.
    pub registry: Arc<Registry>,
    /// Asked at each look. Must not block.
    pub readiness: Arc<dyn Fn() -> Readiness + Send + Sync>,
}

/// `/metrics`, `/health/live` and `/health/ready`.
///
/// Live is 200 as long as the process answers; ready is 200 or 503 with the reasons.
pub fn router(pages: Pages) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .with_state(pages)
}

async fn metrics(State(pages): State<Pages>) -> Response {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &pages.registry) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn live() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "live": true }))
}

async fn ready(State(pages): State<Pages>) -> Response {
    let readiness = (pages.readiness)();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::listen::{Cover, Face};
    use prometheus_client::metrics::counter::Counter;
    use std::sync::atomic::{AtomicBool, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    async fn look(address: std::net::SocketAddr, path: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn pages_say_what_is_so_now() {
        let mut registry = Registry::default();
        let counter: Counter = Counter::default();
        registry.register("trial", "A trial", counter.clone());
        let well = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&well);
        let pages = Pages {
            registry: Arc::new(registry),
            readiness: Arc::new(move || {
                let ready = asked.load(Ordering::SeqCst);
                let reasons = if ready { Vec::new() } else { vec!["the disk is full".into()] };
                Readiness { ready, reasons }
            }),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let face = Face::new(router(pages), Cover::Clear, &relay::limits::Limits::default());
        let task = tokio::spawn(face.serve(listener, async move { drop(stopped.await) }));
        counter.inc();
        assert!(look(address, "/metrics").await.contains("trial_total 1"));
        assert!(look(address, "/health/live").await.starts_with("HTTP/1.1 200"));
        assert!(look(address, "/health/ready").await.starts_with("HTTP/1.1 200"));
        well.store(false, Ordering::SeqCst);
        let answer = look(address, "/health/ready").await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("the disk is full"), "{answer}");
        assert!(look(address, "/other").await.starts_with("HTTP/1.1 404"));
        stop.send(()).unwrap();
        task.await.unwrap().unwrap();
    }
}
