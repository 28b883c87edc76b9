//! What certificate authorities ask for on port 80 (RFC 8555 §8.3); people who come there are sent to the console.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use std::sync::Arc;

/// Says what a token is answered with; none where nobody asked for it.
pub type Answer = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// `/.well-known/acme-challenge/TOKEN`; everything else leads to the console, where it is found under TLS.
pub fn router(answer: Answer, console_url: Option<String>) -> Router {
    let console = console_url.filter(|url| url.starts_with("https://"));
    Router::new()
        .route("/.well-known/acme-challenge/{token}", get(prove))
        .fallback(move || std::future::ready(elsewhere(console.as_deref())))
        .with_state(answer)
}

async fn prove(State(answer): State<Answer>, Path(token): Path<String>) -> Response {
    match answer(&token) {
        Some(proof) => ([(header::CONTENT_TYPE, "application/octet-stream")], proof).into_response(),
        None => (StatusCode::NOT_FOUND, "Nobody asked for this.\n").into_response(),
    }
}

/// One place, whatever was asked for: nothing of the request goes into the answer.
fn elsewhere(console: Option<&str>) -> Response {
    match console {
        Some(url) => Redirect::temporary(url).into_response(),
        None => (StatusCode::NOT_FOUND, "Certificate authorities alone are answered here.\n").into_response(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;

    async fn ask(console: Option<&str>, path: &str) -> (StatusCode, Option<String>, String) {
        let answer: Answer = Arc::new(|token| (token == "known").then(|| "known.proof".to_owned()));
        let request = Request::get(path).header("Host", "evil.example").body(Body::empty()).unwrap();
        let answered = router(answer, console.map(str::to_owned)).oneshot(request).await.unwrap();
        let to = answered.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
        let status = answered.status();
        let body = axum::body::to_bytes(answered.into_body(), 1_000).await.unwrap();
        (status, to, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn what_was_asked_for_is_answered_and_nothing_else() {
        let (status, _, proof) = ask(None, "/.well-known/acme-challenge/known").await;
        assert_eq!((status, proof.as_str()), (StatusCode::OK, "known.proof"));
        for path in ["/.well-known/acme-challenge/other", "/.well-known/acme-challenge/", "/"] {
            assert_eq!(ask(None, path).await.0, StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[tokio::test]
    async fn people_are_sent_to_the_console_and_nowhere_else() {
        for path in ["/", "/sign-in", "//evil.example/a"] {
            let (status, to, _) = ask(Some("https://console.example.com"), path).await;
            assert_eq!((status, to.as_deref()), (StatusCode::TEMPORARY_REDIRECT, Some("https://console.example.com")));
        }
        assert_eq!(ask(Some("http://127.0.0.1:9589"), "/").await.0, StatusCode::NOT_FOUND);
    }
}
