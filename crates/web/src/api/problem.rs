//! What went wrong, as RFC 9457 wants it told.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use relay::service::operation::WAIT_SECONDS_MAX;
use relay::service::{Fault, FaultKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::BODY_OCTETS_MAX;

/// What happened, what it means, what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Problem {
    /// Its kind, for programs: `invalid`, `not_found`, `conflict`, `forbidden`, `unavailable`, `unauthorized`,
    /// `too_many_requests`, `method_not_allowed`, `too_large`, `not_json` or `too_slow`.
    pub(crate) kind: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What happened.
    pub(crate) title: String,
    /// What it means, and what to do.
    pub(crate) detail: String,
    /// Seconds after which it is worth another try, where that can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after: Option<u64>,
}

impl Problem {
    fn new(kind: &str, status: StatusCode, title: &str, detail: &str) -> Problem {
        let (kind, title, detail) = (kind.to_owned(), title.to_owned(), detail.to_owned());
        Problem { kind, status: status.as_u16(), title, detail, retry_after: None }
    }

    /// No key, or one that does not work.
    pub(crate) fn unauthorized() -> Problem {
        let detail = "Send a key that is not deleted and has not expired, as `Authorization: Bearer envoi_…`.";
        Problem::new("unauthorized", StatusCode::UNAUTHORIZED, "No key that works was sent.", detail)
    }

    /// Too many requests; another after so many seconds.
    pub(crate) fn too_many(seconds: u64) -> Problem {
        let title = "Too many requests with this key.";
        let detail = format!("Try again in {seconds} s, and ask for more at once instead of more often.");
        let told = Problem::new("too_many_requests", StatusCode::TOO_MANY_REQUESTS, title, &detail);
        Problem { retry_after: Some(seconds), ..told }
    }

    /// Too many wait at once, and how many may.
    pub(crate) fn too_many_wait(how_many: &str) -> Problem {
        let title = "Too many requests wait for changes at once.";
        let detail = format!("{how_many} Try again when one of them was answered, or ask without `wait`.");
        let told = Problem::new("too_many_requests", StatusCode::TOO_MANY_REQUESTS, title, &detail);
        // by then those that wait now were answered
        Problem { retry_after: Some(u64::from(WAIT_SECONDS_MAX)), ..told }
    }

    /// A request that is not as the document says.
    pub(crate) fn unreadable(what: &str) -> Problem {
        Problem::rejected(StatusCode::BAD_REQUEST, what)
    }

    /// A request that was not understood, with the status that says how far it came.
    pub(crate) fn rejected(status: StatusCode, what: &str) -> Problem {
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => {
                let detail = format!("A body has at most {BODY_OCTETS_MAX} octets.");
                Problem::new("too_large", status, "The body is too large.", &detail)
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                let detail = "Send it as JSON, and say so: `Content-Type: application/json`.";
                Problem::new("not_json", status, "The body is not said to be JSON.", detail)
            }
            // 422 is for values that are of the right kind, and not possible
            _ => {
                let detail = "The OpenAPI document, at openapi.json beside the routes, says what each takes.";
                Problem::new("invalid", StatusCode::BAD_REQUEST, what, detail)
            }
        }
    }

    /// A body that did not come.
    pub(crate) fn late() -> Problem {
        let title = "The body did not come in time.";
        Problem::new("too_slow", StatusCode::REQUEST_TIMEOUT, title, "Send head and body in one go.")
    }

    /// There is no such route.
    pub(crate) fn nowhere() -> Problem {
        let detail = "The reference, at `reference` beside the routes, has them all (openapi.json, for programs).";
        Problem::new("not_found", StatusCode::NOT_FOUND, "There is nothing here.", detail)
    }

    /// The route has no such method.
    pub(crate) fn not_so() -> Problem {
        let detail = "The field Allow has the methods that there are.";
        let title = "This cannot be done here with this method.";
        Problem::new("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, title, detail)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let (kind, status) = match fault.kind {
            FaultKind::Invalid => ("invalid", StatusCode::UNPROCESSABLE_ENTITY),
            FaultKind::NotFound => ("not_found", StatusCode::NOT_FOUND),
            FaultKind::Conflict => ("conflict", StatusCode::CONFLICT),
            FaultKind::Forbidden => ("forbidden", StatusCode::FORBIDDEN),
            FaultKind::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
        };
        let detail = [fault.meaning.as_str(), fault.remedy.as_str()];
        let detail: Vec<_> = detail.into_iter().filter(|part| !part.is_empty()).collect();
        Problem::new(kind, status, &fault.what, &detail.join(" "))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, Json(self)).into_response();
        let fields = response.headers_mut();
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = retry_after {
            fields.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            fields.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
