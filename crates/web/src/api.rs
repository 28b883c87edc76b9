//! The API: every operation of the relay over HTTP, JSON, for programs with a key.
//!
//! Each route asks for one operation of [`relay::service::operation`], and its `operationId` is that operation's name:
//! a test holds the two lists together. Errors are problems (RFC 9457). The document is OpenAPI 3.1, made from this code.

mod account;
mod activity;
mod api_key;
mod asking;
mod brake;
mod domain;
mod few;
mod inbox;
mod member;
mod message;
mod operator;
mod page;
mod plan;
mod problem;
mod queue;
mod reference;
mod smtp_user;
mod suppression;
mod webhook;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use relay::api_key::ApiKey;
use relay::id::Id;
use relay::limits::Limits;
use relay::service::Service;
use std::sync::Arc;
use std::time::Duration;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::shares::Shares;
use asking::{Paces, door};
use problem::Problem;

/// Octets of a request's body.
const BODY_OCTETS_MAX: usize = 256 * 1024;

/// The prefix of every route; another one comes when what is here can no longer be kept as it is.
pub const PREFIX: &str = "/api/v1";

/// What the routes stand on.
#[derive(Clone)]
struct Api {
    service: Arc<dyn Service>,
    paces: Arc<Paces>,
    waits: Arc<Shares<Id<ApiKey>>>,
    /// Octets of messages that are being handed in.
    held: Arc<Shares<Id<ApiKey>>>,
    limits: Arc<Limits>,
    /// How long a body may take.
    body_patience: Duration,
    document: Arc<str>,
    reference: Arc<reference::Pages>,
}

/// Every route below [`PREFIX`], with the numbers of the limits (`api_…`, `web_body_seconds`). The reference leads to the console at
/// this URL, where there is one.
pub fn router(service: Arc<dyn Service>, limits: &Limits, console: Option<&str>) -> Router {
    let (router, document) = open_routes();
    let document = document_text(&document);
    let api = Api {
        service,
        paces: Arc::new(Paces::new(limits.api_requests_per_minute)),
        waits: Shares::new(limits.api_waits_max, limits.api_key_waits_max),
        held: Shares::new(limits.api_held_octets_max, limits.api_key_held_octets_max),
        limits: Arc::new(limits.clone()),
        body_patience: Duration::from_secs(limits.web_body_seconds),
        reference: Arc::new(reference::Pages::new(&document, console)),
        document: Arc::from(document),
    };
    router
        .route_layer(from_fn_with_state(api.clone(), door))
        // what the relay can do is no secret: no key is asked for
        .route(&format!("{PREFIX}/openapi.json"), get(openapi))
        .route(&format!("{PREFIX}/reference"), get(reference::contents))
        .route(&format!("{PREFIX}/reference/{{group}}"), get(reference::page))
        .route(&format!("{PREFIX}/reference.css"), get(reference::styles))
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(BODY_OCTETS_MAX))
        .with_state(api)
}

/// The OpenAPI document, as `docs/reference/openapi.json` has it.
pub fn document() -> String {
    document_text(&open_routes().1)
}

fn document_text(document: &OpenApi) -> String {
    // plain data: this cannot fail
    document.to_pretty_json().unwrap_or_default() + "\n"
}

fn open_routes() -> (Router<Api>, OpenApi) {
    let routes: OpenApiRouter<Api> = OpenApiRouter::new()
        .routes(routes!(account::account_list, account::account_add))
        .routes(routes!(account::account_show, account::account_set, account::account_delete))
        .routes(routes!(account::activity_erase))
        .routes(routes!(account::account_suspend))
        .routes(routes!(account::account_resume))
        .routes(routes!(account::account_quota))
        .routes(routes!(plan::account_plan))
        .routes(routes!(plan::account_contacts, plan::account_contacts_set))
        .routes(routes!(plan::plan_list, plan::plan_add))
        .routes(routes!(plan::plan_set, plan::plan_delete))
        .routes(routes!(plan::plan_default))
        .routes(routes!(plan::plan_retire))
        .routes(routes!(plan::plan_ask, plan::plan_withdraw))
        .routes(routes!(plan::plan_keep))
        .routes(routes!(plan::plan_request_list))
        .routes(routes!(plan::plan_approve))
        .routes(routes!(plan::plan_decline))
        .routes(routes!(domain::domain_list, domain::domain_add))
        .routes(routes!(domain::domain_show, domain::domain_delete))
        .routes(routes!(domain::domain_dmarc))
        .routes(routes!(domain::domain_health))
        .routes(routes!(domain::domain_vouch))
        .routes(routes!(domain::domain_verify))
        .routes(routes!(domain::domain_rotate))
        .routes(routes!(domain::domain_bounce_mails))
        .routes(routes!(smtp_user::smtp_user_list, smtp_user::smtp_user_add))
        .routes(routes!(smtp_user::smtp_user_show, smtp_user::smtp_user_set, smtp_user::smtp_user_delete))
        .routes(routes!(smtp_user::smtp_user_rename))
        .routes(routes!(smtp_user::smtp_user_reset))
        .routes(routes!(smtp_user::smtp_user_add_password))
        .routes(routes!(smtp_user::smtp_user_drop_password))
        .routes(routes!(smtp_user::smtp_user_enable))
        .routes(routes!(smtp_user::smtp_user_disable))
        .routes(routes!(suppression::suppression_list, suppression::suppression_add))
        .routes(routes!(suppression::suppression_remove))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(suppression::suppression_import))
                .layer(DefaultBodyLimit::max(suppression::LIST_OCTETS_MAX)),
        )
        .routes(routes!(activity::activity))
        .routes(routes!(activity::activity_since))
        .routes(routes!(activity::activity_show))
        .routes(routes!(activity::statistics))
        .routes(routes!(activity::connections))
        .routes(routes!(inbox::inbox_list))
        .routes(routes!(inbox::inbox_show, inbox::inbox_delete))
        .routes(routes!(inbox::inbox_source))
        .routes(routes!(inbox::inbox_empty))
        .routes(routes!(message::message_submit))
        .routes(routes!(api_key::api_key_list, api_key::api_key_add))
        .routes(routes!(api_key::api_key_delete))
        .routes(routes!(webhook::webhook_list, webhook::webhook_add))
        .routes(routes!(webhook::webhook_show, webhook::webhook_set, webhook::webhook_delete))
        .routes(routes!(webhook::webhook_rotate))
        .routes(routes!(webhook::webhook_test))
        .routes(routes!(webhook::webhook_log))
        .routes(routes!(webhook::webhook_call))
        .routes(routes!(webhook::webhook_replay))
        .routes(routes!(member::member_list, member::member_add))
        .routes(routes!(member::member_set, member::member_remove))
        .routes(routes!(member::member_link))
        .routes(routes!(member::member_sign_ins))
        .routes(routes!(operator::audit))
        .routes(routes!(operator::blocks))
        .routes(routes!(operator::block_lift))
        .routes(routes!(brake::brake_list))
        .routes(routes!(brake::brake_release))
        .routes(routes!(operator::queue_list))
        .routes(routes!(operator::unknown_replies))
        .routes(routes!(operator::site_list))
        .routes(routes!(operator::site_resume))
        .routes(routes!(operator::source_list))
        .routes(routes!(operator::source_resume))
        .routes(routes!(operator::source_warm_up_stop))
        .routes(routes!(operator::source_warm_up_start))
        .routes(routes!(operator::tls_session_list))
        .routes(routes!(operator::tls_report_list))
        .routes(routes!(queue::queue_count))
        .routes(routes!(queue::queue_order))
        .routes(routes!(operator::queue_release_all))
        .routes(routes!(operator::queue_cancel_all))
        .routes(routes!(operator::queue_show, operator::queue_cancel))
        .routes(routes!(operator::queue_retry))
        .routes(routes!(operator::queue_hold))
        .routes(routes!(operator::queue_release))
        .routes(routes!(operator::backup_list, operator::backup))
        .routes(routes!(operator::backup_check))
        .routes(routes!(operator::certificate_list))
        .routes(routes!(operator::certificate_renew))
        .routes(routes!(operator::zone_show))
        .routes(routes!(operator::health))
        .routes(routes!(operator::checks));
    let (router, mut document) = OpenApiRouter::with_openapi(described()).nest(PREFIX, routes).split_for_parts();
    with_problems(&mut document);
    (router, document)
}

fn described() -> OpenApi {
    let about = "What a page or the command line of the relay can do, a program can: with a key of an account for that \
                 account, with a key of the operator for all. A key is sent as `Authorization: Bearer …`. What is not \
                 yours does not exist: `404`. Moments are RFC 3339; lists that can be long come in pages, each naming \
                 the cursor of the next. Requests are paced for each key, as the fields `RateLimit` and \
                 `RateLimit-Policy` of every answer say.";
    let info = InfoBuilder::new().title("Envoi").version("1").description(Some(about)).build();
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let mut document = OpenApiBuilder::new().info(info).build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("key", bearer);
    document.security = Some(vec![SecurityRequirement::new("key", Vec::<String>::new())]);
    document
}

/// Whatever the route, a fault is told in the same way.
fn with_problems(document: &mut OpenApi) {
    let schema = Ref::from_schema_name("Problem");
    let told = ResponseBuilder::new()
        .description("What happened, what it means, what to do")
        .content("application/problem+json", Content::new(Some(schema)))
        .build();
    let components = document.components.get_or_insert_default();
    let schema = <Problem as utoipa::PartialSchema>::schema();
    components.schemas.insert("Problem".to_owned(), schema);
    for path in document.paths.paths.values_mut() {
        if let Some(making) = path.post.as_mut() {
            making.parameters.get_or_insert_default().push(RefOr::T(idempotency_key()));
        }
        let operations = [&mut path.get, &mut path.post, &mut path.put, &mut path.patch, &mut path.delete];
        for operation in operations.into_iter().flatten() {
            for answer in operation.responses.responses.values_mut() {
                if let RefOr::T(answer) = answer {
                    // without one the document is none (OpenAPI 3.1, Response Object)
                    "What was asked for".clone_into(&mut answer.description);
                }
            }
            operation.responses.responses.insert("default".to_owned(), RefOr::T(told.clone()));
        }
    }
}

/// What every request that makes something may carry.
fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .description(Some(
            "A text of your own, for this request alone: sent again with it within 24 hours, it is done once, and answered \
             the same.",
        ))
        .build()
}

async fn openapi(State(api): State<Api>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], api.document.to_string()).into_response()
}

async fn nowhere() -> Problem {
    Problem::nowhere()
}

async fn not_so() -> Problem {
    Problem::not_so()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use relay::api_key::ApiKey;
    use relay::clock::Timestamp;
    use relay::id::Id;
    use relay::idempotency::IdempotencyKey;
    use relay::power::Scope;
    use relay::service::operation::Operation;
    use relay::service::{BoxedAnswer, Identity};
    use relay::store::Actor;
    use std::collections::BTreeSet;
    use tokio::time::timeout;
    use tower::ServiceExt;

    #[test]
    fn every_operation_has_a_route_and_every_route_an_operation() {
        let (_, document) = open_routes();
        let mut ids = BTreeSet::new();
        for path in document.paths.paths.values() {
            for operation in [&path.get, &path.post, &path.put, &path.patch, &path.delete].into_iter().flatten() {
                let id = operation.operation_id.clone().unwrap();
                assert!(ids.insert(id.clone()), "{id} has two routes");
                assert!(operation.summary.is_some() && operation.responses.responses.contains_key("default"), "{id}");
            }
        }
        let operations: BTreeSet<_> = Operation::NAMES.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(ids, operations);
    }

    /// A relay in which nothing ever happens, with one key for everybody.
    struct Quiet;

    impl Service for Quiet {
        fn ask(&self, _: Operation, _: Identity) -> BoxedAnswer<'_> {
            Box::pin(std::future::pending())
        }

        fn ask_once(&self, operation: Operation, identity: Identity, _: IdempotencyKey) -> BoxedAnswer<'_> {
            self.ask(operation, identity)
        }

        fn bearer(&self, _: &[u8], _: std::net::IpAddr) -> Option<(Id<ApiKey>, Identity)> {
            let actor = Actor { name: "key".into(), from: "test".into() };
            Some((Id::new(1), Identity { actor, scope: Scope::Operator, read_only: false, ends_at: None }))
        }

        fn now(&self) -> Timestamp {
            Timestamp(0)
        }
    }

    fn request(path: &str) -> axum::extract::Request {
        let request = axum::http::Request::get(format!("{PREFIX}{path}")).header("Authorization", "Bearer any");
        request.body(axum::body::Body::empty()).unwrap()
    }

    #[tokio::test]
    async fn so_many_requests_of_a_key_wait_at_once() {
        let limits = Limits { api_key_waits_max: 1, ..Limits::default() };
        let router = router(Arc::new(Quiet), &limits, None);
        let ask = |path: &str| router.clone().oneshot(request(path));
        let mut waiting = std::pin::pin!(ask("/activity/changes?wait=30"));
        assert!(timeout(Duration::ZERO, &mut waiting).await.is_err(), "it waits");
        let refused = ask("/activity/changes?wait=1").await.unwrap();
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.headers()["retry-after"], "30");
        assert!(refused.headers().contains_key("ratelimit"));
        assert!(timeout(Duration::ZERO, ask("/activity/changes")).await.is_err(), "what does not wait is asked");
    }

    #[tokio::test]
    async fn so_many_octets_of_messages_are_held() {
        let limits = Limits { api_key_held_octets_max: 1_048_576, ..Limits::default() };
        let router = router(Arc::new(Quiet), &limits, None);
        // what is said of its length counts, before an octet of it has come
        let (coming, _more) = tokio::io::duplex(10);
        let mut coming = Some(axum::body::Body::from_stream(tokio_util::io::ReaderStream::new(coming)));
        let mut ask = |octets: usize| {
            let mut request = request("/messages?user=1");
            *request.method_mut() = axum::http::Method::POST;
            let fields = request.headers_mut();
            fields.insert(header::CONTENT_TYPE, axum::http::HeaderValue::from_static("message/rfc822"));
            fields.insert(header::CONTENT_LENGTH, axum::http::HeaderValue::from(octets));
            *request.body_mut() = coming.take().unwrap_or_else(|| axum::body::Body::from(vec![b'x'; octets]));
            router.clone().oneshot(request)
        };
        let mut held = Box::pin(ask(700_000));
        assert!(timeout(Duration::ZERO, &mut held).await.is_err(), "it comes");
        let refused = ask(700_000).await.unwrap();
        assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"5".parse().unwrap()));
        assert_eq!(ask(1_048_577).await.unwrap().status(), 413);
        let small = tokio::spawn(ask(300_000));
        tokio::task::yield_now().await;
        assert!(!small.is_finished(), "there is room for it: the relay is asked");
        small.abort();
        drop(held);
        assert!(timeout(Duration::ZERO, ask(700_000)).await.is_err(), "and again for that");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for_long() {
        let router = router(Arc::new(Quiet), &Limits::default(), None);
        let (body, _more) = tokio::io::duplex(10);
        let body = axum::body::Body::from_stream(tokio_util::io::ReaderStream::new(body));
        let mut request = request("/accounts");
        *request.method_mut() = axum::http::Method::POST;
        request.headers_mut().insert(header::CONTENT_TYPE, axum::http::HeaderValue::from_static("application/json"));
        *request.body_mut() = body;
        assert_eq!(router.oneshot(request).await.unwrap().status(), 408);
    }

    #[test]
    fn the_document_names_the_key_and_its_prefix() {
        let document: serde_json::Value = serde_json::from_str(&super::document()).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        assert_eq!(document["info"]["title"], "Envoi");
        assert_eq!(document["components"]["securitySchemes"]["key"]["scheme"], "bearer");
        let paths = document["paths"].as_object().unwrap();
        assert!(!paths.is_empty() && paths.keys().all(|path| path.starts_with(PREFIX)));
    }
}
