//! What every request and answer of the console goes through: no form of another site, no script but ours.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::listen::Scheme;

/// Nothing from elsewhere, nothing within the page itself, in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The fields that every answer has.
const FIELDS: &[(&str, &str)] = &[
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Where browsers come by https, they come no other way for a year (RFC 6797).
const STRICT: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Refuses what another site asks for in a visitor's name, and marks the answer.
pub(super) async fn guarded(State(is_secure): State<bool>, request: Request, next: Next) -> Response {
    let is_under_tls = is_under_tls(&request, is_secure);
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut answer = if safe || is_from_here(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "This form was sent by another site, and nothing was done.").into_response()
    };
    mark(&mut answer, is_under_tls);
    answer
}

/// Whether a request came under TLS: as a trusted proxy says, else as pages are served.
fn is_under_tls(request: &Request, is_secure: bool) -> bool {
    match request.extensions().get::<Scheme>() {
        Some(Scheme::Https) => true,
        Some(Scheme::Http) => false,
        _ => is_secure,
    }
}

/// Marks what is answered to whoever comes from anywhere, without a cookie.
pub(super) async fn marked(State(is_secure): State<bool>, request: Request, next: Next) -> Response {
    let is_under_tls = is_under_tls(&request, is_secure);
    let mut answer = next.run(request).await;
    mark(&mut answer, is_under_tls);
    answer
}

fn mark(answer: &mut Response, is_under_tls: bool) {
    let fields = answer.headers_mut();
    for (name, value) in FIELDS {
        // what a page has said of itself stands
        fields.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    // what comes in the clear is not told so (RFC 6797 §7.2)
    if is_under_tls {
        fields.insert(header::STRICT_TRANSPORT_SECURITY, STRICT);
    }
    if !fields.contains_key(header::CACHE_CONTROL) {
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Whether a browser says that one of our own pages sent the form. All of today's say so in one of two fields.
fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(&HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let origin = text(&header::ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, origin)| text(&header::HOST) == Some(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(fields: &[(&'static str, &'static str)]) -> bool {
        let fields =
            fields.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        is_from_here(&fields.collect())
    }

    #[test]
    fn forms_of_other_sites_are_known() {
        assert!(told(&[("sec-fetch-site", "same-origin")]));
        assert!(!told(&[("sec-fetch-site", "same-site"), ("origin", "https://a.example"), ("host", "a.example")]));
        assert!(!told(&[("sec-fetch-site", "cross-site")]));
        assert!(told(&[("origin", "https://a.example"), ("host", "a.example")]));
        assert!(!told(&[("origin", "https://b.example"), ("host", "a.example")]));
        assert!(!told(&[("origin", "null"), ("host", "a.example")]) && !told(&[("host", "a.example")]));
    }
}
