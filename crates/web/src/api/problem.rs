//! What went wrong, as RFC 9457 wants it told.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use relay::service::operation::WAIT_SECONDS_MAX;
use relay::service::view::{RefusedRecipientView, ReplyView, SubmissionView};
use relay::service::{Fault, FaultKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::BODY_OCTETS_MAX;

/// Seconds after which messages that are held now were probably answered.
const HELD_SECONDS: u64 = 5;
/// Seconds after which a store that took nothing is worth another try.
const UNAVAILABLE_SECONDS: u64 = 60;

/// What happened, what it means, what to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Problem {
    /// Its kind, for programs: `invalid`, `not_found`, `conflict`, `forbidden`, `unavailable`, `unauthorized`,
    /// `too_many_requests`, `method_not_allowed`, `too_large`, `not_json`, `too_slow` or `refused`.
    pub(crate) kind: Box<str>,
    /// What it is more exactly, where that has a name: `api-key-name-taken`, for example.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub(crate) code: Box<str>,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What happened.
    pub(crate) title: Box<str>,
    /// What it means, and what to do.
    pub(crate) detail: String,
    /// Seconds after which it is worth another try, where that can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after: Option<u64>,
    /// Of a message that was refused: what an SMTP client would have heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reply: Option<Box<ReplyView>>,
    /// And each of its recipients.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<RefusedRecipientView>)]
    pub(crate) refused: Box<[RefusedRecipientView]>,
}

impl Problem {
    fn new(kind: &str, status: StatusCode, title: &str, detail: &str) -> Problem {
        let (kind, title, detail) = (kind.into(), title.into(), detail.to_owned());
        Problem {
            kind,
            code: Box::default(),
            status: status.as_u16(),
            title,
            detail,
            retry_after: None,
            reply: None,
            refused: Box::default(),
        }
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

    /// Too much is held at once, and how much may be.
    pub(crate) fn too_many_held(how_much: &str) -> Problem {
        let title = "Too many messages are handed in at once.";
        let detail = format!("{how_much} Try again when one of them was answered.");
        let told = Problem::new("too_many_requests", StatusCode::TOO_MANY_REQUESTS, title, &detail);
        Problem { retry_after: Some(HELD_SECONDS), ..told }
    }

    /// A body that is larger than this.
    pub(crate) fn too_large(octets: u64) -> Problem {
        let detail = format!("A body has at most {octets} octets.");
        Problem::new("too_large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large.", &detail)
    }

    /// A body of a kind that is not taken here; what is.
    pub(crate) fn unknown_kind(taken: &str) -> Problem {
        let title = "The body is of a kind that is not taken here.";
        Problem::new("not_json", StatusCode::UNSUPPORTED_MEDIA_TYPE, title, taken)
    }

    /// A message of which nothing is sent to anybody.
    pub(crate) fn refused(view: SubmissionView) -> Problem {
        let why = view.why_nothing().cloned();
        let reference = why.as_ref().map_or("", |reply| reply.reference.as_str());
        let status = status_of(reference, &view);
        let title = why.as_ref().map_or_else(String::new, |reply| format!("The message was refused: {reply}"));
        let remedy = smtp::replies::entry(reference).map_or("", |entry| entry.remedy);
        // what ends by itself is worth another try soon
        let soon = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(UNAVAILABLE_SECONDS);
        let told = Problem::new("refused", status, &title, remedy);
        Problem {
            retry_after: view.retry_after.or(soon),
            reply: why.map(Box::new),
            refused: view.refused.into(),
            ..told
        }
    }

    /// A request that is not as the document says.
    pub(crate) fn unreadable(what: &str) -> Problem {
        Problem::rejected(StatusCode::BAD_REQUEST, what)
    }

    /// A request that was not understood, with the status that says how far it came.
    pub(crate) fn rejected(status: StatusCode, what: &str) -> Problem {
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(BODY_OCTETS_MAX as u64),
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

/// The status of a message that was refused for this: what would be refused again is the caller's to change (422, 403, 413),
/// what is too much now is 429, and what ends without them 503, which clients take for worth another try.
fn status_of(reference: &str, view: &SubmissionView) -> StatusCode {
    // recipients that were refused for reasons that differ are no matter of one of them
    let is_one_reason = view.refused.iter().all(|refused| refused.reply.reference == reference);
    match reference {
        "rate-limited" | "brake-on" => StatusCode::TOO_MANY_REQUESTS,
        "quota-reached" if is_one_reason => StatusCode::TOO_MANY_REQUESTS,
        "too-large" | "header-too-long" => StatusCode::PAYLOAD_TOO_LARGE,
        "store-full" | "store-failed" | "shutting-down" => StatusCode::SERVICE_UNAVAILABLE,
        "account-suspended"
        | "account-without-plan"
        | "user-disabled"
        | "user-expired"
        | "network-not-allowed"
        | "session-revoked" => StatusCode::FORBIDDEN,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
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
        let code = fault.named.as_ref().map_or("", |named| named.code.as_str()).into();
        Problem { code, ..Problem::new(kind, status, &fault.what, &detail.join(" ")) }
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
