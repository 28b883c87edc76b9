//! Who asks: the key behind a request, how often it may, and what is asked for in its name.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use relay::api_key::ApiKey;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::rate::Pace;
use relay::service::operation::{Answer, Operation};
use relay::service::{Fault, Identity, Service};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Api;
use super::problem::Problem;
use crate::listen::Peer;

/// How long a body may take.
const BODY_PATIENCE: Duration = Duration::from_secs(30);
/// Requests at once that are within the pace after a pause: a tenth of those of a minute.
const BURST_SHARE: u64 = 10;

/// How often each key may ask.
pub(super) struct Paces {
    per_minute: u64,
    paces: Mutex<Pace<Id<ApiKey>>>,
}

impl Paces {
    /// So many a minute for each key; 0: as often as it likes.
    pub(super) fn new(per_minute: u64) -> Paces {
        Paces { per_minute, paces: Mutex::new(Pace::new(per_minute, per_minute / BURST_SHARE)) }
    }

    /// Counts one request; what the answer says of it in `RateLimit-Policy` and `RateLimit`
    /// (draft-ietf-httpapi-ratelimit-headers).
    fn on(&self, key: Id<ApiKey>, now: Timestamp) -> Result<Option<[HeaderValue; 2]>, Problem> {
        if self.per_minute == 0 {
            return Ok(None);
        }
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        paces.on(key, now).map_err(Problem::too_many)?;
        let (left, seconds) = paces.left(&key, now);
        let field = |text: String| HeaderValue::from_str(&text).ok();
        let policy = field(format!("\"key\";q={};w=60", self.per_minute));
        Ok(policy.zip(field(format!("\"key\";r={left};t={seconds}"))).map(|(policy, state)| [policy, state]))
    }
}

/// Somebody with a key that works.
pub(super) struct Asking {
    service: Arc<dyn Service>,
    identity: Identity,
    pace: Option<[HeaderValue; 2]>,
}

impl FromRequestParts<Api> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Asking, Problem> {
        let from = parts.extensions.get::<Peer>();
        let from = from.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Peer(address)| address.ip());
        let given = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, secret) = given.and_then(|given| given.split_once(' ')).unwrap_or_default();
        let known = if scheme.eq_ignore_ascii_case("bearer") {
            api.service.bearer(secret.trim().as_bytes(), from.to_canonical())
        } else {
            None
        };
        let (key, identity) = known.ok_or_else(Problem::unauthorized)?;
        let pace = api.paces.on(key, api.service.now())?;
        Ok(Asking { service: Arc::clone(&api.service), identity, pace })
    }
}

impl Asking {
    /// Asks, and answers with what is shown of it.
    pub(super) async fn run<T>(self, operation: Operation) -> Outcome<T>
    where
        T: Serialize + TryFrom<Answer, Error = Fault>,
    {
        self.shown(operation, |view: T| view).await
    }

    /// The same, made into something else.
    pub(super) async fn shown<T, U: Serialize>(self, operation: Operation, show: impl FnOnce(T) -> U) -> Outcome<U>
    where
        T: TryFrom<Answer, Error = Fault>,
    {
        let answer = self.service.ask(operation, self.identity).await?;
        Ok(Shown { value: show(T::try_from(answer)?), pace: self.pace })
    }
}

/// What a route answers with.
pub(super) type Outcome<T> = Result<Shown<T>, Problem>;

/// Something as JSON, with what the key may still ask.
pub(super) struct Shown<T> {
    value: T,
    pace: Option<[HeaderValue; 2]>,
}

impl<T: Serialize> IntoResponse for Shown<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.value).into_response();
        // what is shown to one key is nothing for a cache between
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some([policy, state]) = self.pace {
            response.headers_mut().insert("RateLimit-Policy", policy);
            response.headers_mut().insert("RateLimit", state);
        }
        response
    }
}

/// A body of JSON; what is wrong with it is a [`Problem`].
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Body<T>, Problem> {
        let read = tokio::time::timeout(BODY_PATIENCE, Json::<T>::from_request(request, api)).await;
        let Json(value) = read.map_err(|_| Problem::unreadable("The body did not come in time."))??;
        Ok(Body(value))
    }
}

/// A part of the path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub(super) struct Path<T>(pub(super) T);

/// What stands behind the `?`.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub(super) struct Query<T>(pub(super) T);

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Problem::unreadable(&rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Problem::unreadable(&rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Problem::unreadable(&rejection.body_text())
    }
}
