//! The console: pages for people, on the same operations as the API and the command line.
//!
//! Every page stands in [`table`] with what it needs of whoever looks, and a test tries each as every role. A page asks
//! the relay for operations and nothing else; what people change of themselves goes through the [`Door`].

mod accounts;
mod activity;
mod api_keys;
mod assets;
mod audit;
mod backups;
mod brakes;
mod certificates;
mod chart;
mod connect;
mod connections;
mod dashboard;
mod dmarc;
mod domains;
mod entrance;
mod erase;
mod export;
mod form;
mod guard;
mod health;
mod help;
mod inbox;
mod listing;
mod members;
mod operator;
mod own_account;
mod own_mail;
mod page;
mod parts;
mod plans;
mod pricing;
mod profile;
mod question;
mod queue;
mod reasons;
mod refusal;
mod rules;
mod sayings;
mod setup;
mod sign_ins;
mod sites;
mod snippets;
mod sources;
mod suppressions;
mod test_mail;
mod tls_reports;
pub mod unsubscribe;
mod users;
mod visit;
mod webhooks;
pub(crate) mod words;
mod zone;

use axum::Extension;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::middleware;
use axum::routing::{MethodRouter, get, post};
use relay::id::Id;
use relay::limits::Limits;
use relay::member::Member;
use relay::power::Need;
use relay::rate::Pace;
use relay::service::door::Door;
use relay::service::view::PortsView;
use std::sync::{Arc, Mutex};

/// Octets of a form.
const FORM_OCTETS_MAX: usize = 256 * 1024;

/// What pages say of the relay.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server that applications are told to connect to.
    pub hostname: String,
    /// The ports that they are told to connect to.
    pub ports: PortsView,
    /// Where programs find the API; none: it is not served.
    pub api_url: Option<String>,
    /// The address that the relay itself writes from; none: it writes to nobody.
    pub mail_from: Option<String>,
    /// The limits in force.
    pub limits: Limits,
    /// Whether browsers are told to come by `https`: cookies are then marked so that they go no other way. Where they do come so, they
    /// are in any case.
    pub is_secure: bool,
    /// Whether it is a demonstration; none: it is not.
    pub demonstration: Option<Demonstration>,
}

/// What pages say of a demonstration: its certificate is known to nobody, and its mail goes nowhere.
#[derive(Clone, Debug)]
pub struct Demonstration {
    /// The file with the certificate of its authority, which applications have to trust.
    pub authority: String,
    /// What is in it (PEM).
    pub pem: String,
    /// The folder that all its mail is kept in.
    pub mail: String,
}

/// What the pages stand on.
#[derive(Clone)]
struct Console {
    door: Arc<dyn Door>,
    settings: Arc<Settings>,
    pace: Arc<Mutex<Pace<Id<Member>>>>,
}

/// What part of a minute's requests may come at once: a page may ask for several.
const BURST_SHARE: u64 = 3;

/// Who may look at a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// Everybody, signed in or not.
    Everybody,
    /// Whoever is signed in.
    Visitors,
    /// Whoever is signed in and looks at an account, with what this needs there.
    Account(Need),
    /// The operator's people.
    Operator,
}

/// A page or the taker of a form: where it is, for whom, and what answers.
struct Route {
    method: &'static str,
    path: &'static str,
    whom: For,
    answer: MethodRouter<Console>,
}

/// A page.
fn show<H: Handler<T, Console>, T: 'static>(path: &'static str, whom: For, handler: H) -> Route {
    Route { method: "GET", path, whom, answer: get(handler) }
}

/// What takes a form.
fn take<H: Handler<T, Console>, T: 'static>(path: &'static str, whom: For, handler: H) -> Route {
    Route { method: "POST", path, whom, answer: post(handler) }
}

/// Every route.
fn routes() -> Vec<Route> {
    let parts = [
        entrance::routes(),
        profile::routes(),
        dashboard::routes(),
        activity::routes(),
        brakes::routes(),
        connections::routes(),
        inbox::routes(),
        domains::routes(),
        dmarc::routes(),
        health::routes(),
        users::routes(),
        connect::routes(),
        test_mail::routes(),
        help::routes(),
        own_account::routes(),
        erase::routes(),
        pricing::routes(),
        suppressions::routes(),
        members::routes(),
        api_keys::routes(),
        webhooks::routes(),
        audit::routes(),
        operator::routes(),
        setup::routes(),
        accounts::routes(),
        plans::routes(),
        queue::routes(),
        sites::routes(),
        sources::routes(),
        certificates::routes(),
        zone::routes(),
        own_mail::routes(),
        tls_reports::routes(),
        backups::routes(),
    ];
    parts.into_iter().flatten().collect()
}

/// Every route by method, path, and who may: for tests that try each as everybody.
pub fn table() -> Vec<(&'static str, &'static str, For)> {
    routes().into_iter().map(|route| (route.method, route.path, route.whom)).collect()
}

/// The console.
pub fn router(door: Arc<dyn Door>, settings: Settings) -> Router {
    let per_minute = settings.limits.console_requests_per_minute;
    let pace = Arc::new(Mutex::new(Pace::new(per_minute, per_minute / BURST_SHARE)));
    let is_secure = settings.is_secure;
    let console = Console { door, settings: Arc::new(settings), pace };
    let mut router = Router::new().route("/assets/{name}", get(assets::asset));
    for route in routes() {
        // who may is looked at before the page is: see `Visit::of`
        router = router.route(route.path, route.answer.layer(Extension(route.whom)));
    }
    router
        .fallback(visit::nowhere)
        .method_not_allowed_fallback(visit::nowhere)
        .layer(DefaultBodyLimit::max(FORM_OCTETS_MAX))
        .layer(middleware::from_fn_with_state(is_secure, guard::guarded))
        .with_state(console)
}
