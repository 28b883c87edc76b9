//! Who asks: the key behind a request, how often it may, and what is asked for in its name.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use relay::api_key::ApiKey;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::idempotency::IdempotencyKey;
use relay::power::Scope;
use relay::rate::Pace;
use relay::service::operation::{Answer, Operation};
use relay::service::{Fault, Identity, Service};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use super::Api;
use super::problem::Problem;
use crate::listen::Peer;
use crate::shares::{Full, Share, Shares};

/// Requests at once that are within the pace after a pause: a tenth of those of a minute.
const BURST_SHARE: u64 = 10;

/// How often each key may ask.
pub(super) struct Paces {
    per_minute: u64,
    paces: Mutex<Pace<Id<ApiKey>>>,
}

/// What an answer says of the pace, in `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers).
type PaceFields = [HeaderValue; 2];

impl Paces {
    /// So many a minute for each key; 0: as often as it likes.
    pub(super) fn new(per_minute: u64) -> Paces {
        Paces { per_minute, paces: Mutex::new(Pace::new(per_minute, per_minute / BURST_SHARE)) }
    }

    /// Counts one request; whether it may be, and what the answer says of the pace.
    fn on(&self, key: Id<ApiKey>, now: Timestamp) -> (Result<(), Problem>, Option<PaceFields>) {
        if self.per_minute == 0 {
            return (Ok(()), None);
        }
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        let may = paces.on(key, now).map_err(Problem::too_many);
        let (left, seconds) = paces.left(&key, now);
        let field = |text: String| HeaderValue::from_str(&text).ok();
        let policy = field(format!("\"key\";q={};w=60", self.per_minute));
        (may, policy.zip(field(format!("\"key\";r={left};t={seconds}"))).map(|(policy, state)| [policy, state]))
    }
}

/// Lets nobody in but those with a key that works, within its pace. Whatever the answer, it says how the pace stands.
pub(super) async fn door(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let (key, identity) = match known(&api, &request) {
        Ok(known) => known,
        Err(problem) => return problem.into_response(),
    };
    let (may, pace) = api.paces.on(key, api.service.now());
    let mut response = match may.and_then(|()| once(&api, &request)) {
        Ok(once) => {
            let (service, waits, held) = (Arc::clone(&api.service), Arc::clone(&api.waits), Arc::clone(&api.held));
            request.extensions_mut().insert(Asking { service, waits, held, key, identity, once });
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    let fields = response.headers_mut();
    // what is shown to one key is nothing for a cache between
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some([policy, state]) = pace {
        fields.insert("RateLimit-Policy", policy);
        fields.insert("RateLimit", state);
    }
    response
}

/// The idempotency key of a request that makes something. Those of other methods can be repeated as they are.
fn once(api: &Api, request: &Request) -> Result<Option<IdempotencyKey>, Problem> {
    let mut given = request.headers().get_all("Idempotency-Key").iter();
    match (request.method() == Method::POST, given.next(), given.next()) {
        (true, Some(value), None) => IdempotencyKey::parse(value.as_bytes(), &api.limits)
            .map(Some)
            .map_err(|error| Problem::unreadable(&format!("Idempotency-Key cannot be read: {error}."))),
        (true, Some(_), Some(_)) => Err(Problem::unreadable("Idempotency-Key was sent twice.")),
        _ => Ok(None),
    }
}

/// Whose key came with a request.
fn known(api: &Api, request: &Request) -> Result<(Id<ApiKey>, Identity), Problem> {
    let from = request.extensions().get::<Peer>();
    let from = from.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Peer(address)| address.ip().to_canonical());
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, secret) = given.and_then(|given| given.split_once(' ')).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::unauthorized());
    }
    api.service.bearer(secret.trim().as_bytes(), from.to_canonical()).ok_or_else(Problem::unauthorized)
}

/// Somebody with a key that works.
#[derive(Clone)]
pub(super) struct Asking {
    service: Arc<dyn Service>,
    waits: Arc<Shares<Id<ApiKey>>>,
    held: Arc<Shares<Id<ApiKey>>>,
    key: Id<ApiKey>,
    identity: Identity,
    /// The request is to be carried out once for this.
    once: Option<IdempotencyKey>,
}

impl FromRequestParts<Api> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Asking, Problem> {
        // who did not come through the door is nobody
        parts.extensions.remove::<Asking>().ok_or_else(Problem::unauthorized)
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
        Ok(Json(show(self.answer(operation).await?)))
    }

    /// The account that it is confined to; none with a key of the operator.
    pub(super) fn account(&self) -> Option<u64> {
        if let Scope::Account(account, _) = self.identity.scope { Some(account.number()) } else { None }
    }

    /// Asks; what came of it.
    pub(super) async fn answer<T: TryFrom<Answer, Error = Fault>>(self, operation: Operation) -> Result<T, Problem> {
        let answer = match self.once {
            Some(key) => self.service.ask_once(operation, self.identity, key).await?,
            None => self.service.ask(operation, self.identity).await?,
        };
        Ok(T::try_from(answer)?)
    }

    /// A place among those that wait, given back when dropped.
    pub(super) fn wait(&self) -> Result<Share<Id<ApiKey>>, Problem> {
        Shares::take(&self.waits, self.key, 1).map_err(|full| match full {
            Full::Key(max) => Problem::too_many_wait(&format!("With one key at most {max} may.")),
            Full::All(max) => Problem::too_many_wait(&format!("Of all keys together at most {max} may.")),
        })
    }

    /// Room for the body of a message, given back when dropped.
    pub(super) fn hold(&self, octets: u64) -> Result<Share<Id<ApiKey>>, Problem> {
        Shares::take(&self.held, self.key, octets).map_err(|full| match full {
            Full::Key(max) => Problem::too_many_held(&format!("With one key at most {max} octets are held.")),
            Full::All(max) => Problem::too_many_held(&format!("Of all keys together at most {max} octets are held.")),
        })
    }
}

/// What a route answers with.
pub(super) type Outcome<T> = Result<Json<T>, Problem>;

/// A body of JSON; what is wrong with it is a [`Problem`].
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Body<T>, Problem> {
        let read = tokio::time::timeout(api.body_patience, Json::<Value>::from_request(request, api)).await;
        let Json(value) = read.map_err(|_| Problem::late())??;
        // a list would be taken for the fields in their order
        if !value.is_object() {
            return Err(Problem::unreadable("The body is no JSON object."));
        }
        T::deserialize(value)
            .map(Body)
            .map_err(|error| Problem::unreadable(&format!("The body is not as the document says: {error}.")))
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
        Problem::rejected(rejection.status(), &rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Problem::rejected(rejection.status(), &rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Problem::rejected(rejection.status(), &rejection.body_text())
    }
}
