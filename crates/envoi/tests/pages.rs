//! Every operation has a page: each page and form of the console's router is tried over the real operations, by somebody of the
//! operator and by an administrator of an account, and what it asks the relay for is written down. What changes something is not
//! carried out, so that each form finds what the one before found.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use envoi::execute::Executor;
use envoi::execute::desk::Desk;
use net::clock::{Clock, SystemClock};
use net::shutdown::Shutdown;
use relay::api_key::ApiKey;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::idempotency::IdempotencyKey;
use relay::language::Language;
use relay::limits::Limits;
use relay::member::{Member, SignIn};
use relay::power::{Need, Role, Scope};
use relay::service::door::{Boxed, Browser as Client, Door, Entered, Founder, OwnChange, Refused, Visitor};
use relay::service::operation::{Answer, Operation};
use relay::service::view::{PortsView, SignInView};
use relay::service::{BoxedAnswer, Fault, Identity, RulesChange, Service, WebhookWish};
use relay::store::Webhooks;
use relay::webhook::EventKind;
use smtp::server::Secret;
use store::embedded::Embedded;
use support::browser::{Browser, PASSWORD};
use web::console::{For, Settings};
use web::listen::{Cover, Face};

/// What has no page, and why.
const WITHOUT_PAGE: &[(&str, &str)] = &[];

/// The real desk, whose callers' operations are written down.
struct Recorder {
    desk: Arc<Desk<Embedded>>,
    asked: Mutex<BTreeSet<Asked>>,
}

/// An operation by its name, and who asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    operation: &'static str,
    /// None but the operator may.
    is_operators: bool,
    /// Somebody of an account did.
    by_account: bool,
}

fn not_now() -> Fault {
    Fault::conflict("This is only tried.", "")
}

impl Service for Recorder {
    fn ask(&self, operation: Operation, identity: Identity) -> BoxedAnswer<'_> {
        self.asked.lock().unwrap().insert(Asked {
            operation: operation.name(),
            is_operators: operation.need() == Need::Operator,
            by_account: identity.scope != Scope::Operator,
        });
        // the checks look around outside, which is tried elsewhere
        let is_tried = operation.is_read() && operation != Operation::Checks;
        if is_tried { self.desk.ask(operation, identity) } else { Box::pin(async { Err(not_now()) }) }
    }

    fn ask_once(&self, operation: Operation, identity: Identity, _: IdempotencyKey) -> BoxedAnswer<'_> {
        self.ask(operation, identity)
    }

    fn bearer(&self, secret: &[u8], from: IpAddr) -> Option<(Id<ApiKey>, Identity)> {
        self.desk.bearer(secret, from)
    }

    fn now(&self) -> Timestamp {
        self.desk.now()
    }
}

impl Door for Recorder {
    fn sign_in(&self, email: String, password: Secret, browser: Client) -> Boxed<'_, Result<Entered, Refused>> {
        self.desk.sign_in(email, password, browser)
    }

    fn confirm(&self, token: Secret, code: String, browser: Client) -> Boxed<'_, Result<Entered, Refused>> {
        self.desk.confirm(token, code, browser)
    }

    fn visitor(&self, token: Secret, from: IpAddr) -> Boxed<'_, Result<Option<Visitor>, Fault>> {
        self.desk.visitor(token, from)
    }

    fn sign_out(&self, _: Secret) -> Boxed<'_, Result<(), Fault>> {
        Box::pin(async { Err(not_now()) })
    }

    fn link(&self, token: Secret) -> Boxed<'_, Result<Option<Arc<Member>>, Fault>> {
        self.desk.link(token)
    }

    fn can_write(&self) -> bool {
        self.desk.can_write()
    }

    fn forgotten(&self, email: String, browser: Client) -> Boxed<'_, Result<(), Refused>> {
        self.desk.forgotten(email, browser)
    }

    fn choose_password(&self, token: Secret, password: Secret, browser: Client) -> Boxed<'_, Result<Entered, Refused>> {
        self.desk.choose_password(token, password, browser)
    }

    fn is_first_start(&self, token: &Secret) -> bool {
        self.desk.is_first_start(token)
    }

    fn found(&self, token: Secret, founder: Founder, browser: Client) -> Boxed<'_, Result<Entered, Refused>> {
        self.desk.found(token, founder, browser)
    }

    fn totp_seed(&self) -> Secret {
        self.desk.totp_seed()
    }

    fn sign_ins<'a>(&'a self, visitor: &'a Visitor) -> Boxed<'a, Result<Vec<SignIn>, Fault>> {
        self.desk.sign_ins(visitor)
    }

    fn recent_sign_ins<'a>(&'a self, visitor: &'a Visitor) -> Boxed<'a, Result<Vec<SignInView>, Fault>> {
        self.desk.recent_sign_ins(visitor)
    }

    fn change_own(&self, _: Visitor, _: OwnChange) -> Boxed<'_, Result<Vec<Secret>, Refused>> {
        Box::pin(async { Err(not_now().into()) })
    }

    fn act_for(&self, _: Visitor, _: Option<u64>) -> Boxed<'_, Result<(), Fault>> {
        Box::pin(async { Err(not_now()) })
    }
}

/// What there is to look at.
struct World {
    recorder: Arc<Recorder>,
    call: String,
    /// Browsers of somebody of the operator and of an administrator of the account.
    browsers: [Browser; 2],
}

async fn answer(executor: &Arc<Executor<Embedded>>, operation: Operation) -> Answer {
    executor.run(operation, Identity::operator("test")).await.unwrap()
}

/// A member; the token of their link.
async fn member(executor: &Arc<Executor<Embedded>>, account: Option<u64>, email: &str) -> String {
    let (name, role, language) = ("Somebody".to_owned(), Role::Administrator, Language::English);
    let add = Operation::MemberAdd { account, email: email.to_owned(), name, role, language };
    let Answer::MemberLink(link) = answer(executor, add).await else { panic!() };
    serde_json::to_value(&link).unwrap()["token"].as_str().unwrap().to_owned()
}

/// One of what belongs to an account, each with the number 1; the id of a call of its webhook.
async fn account(executor: &Arc<Executor<Embedded>>) -> String {
    answer(
        executor,
        Operation::AccountAdd { name: "acme".into(), without_plan: false, time_zone: None, language: None },
    )
    .await;
    let domain = "acme.example".to_owned();
    answer(executor, Operation::DomainAdd { account: 1, name: domain.clone() }).await;
    let rules = RulesChange::default();
    answer(executor, Operation::SmtpUserAdd { domain, name: "Shop".into(), rules }).await;
    let (name, powers) = ("Key".to_owned(), Role::Administrator.powers());
    answer(executor, Operation::ApiKeyAdd { account: Some(1), name, powers, read_only: false, expires_at: None }).await;
    let (url, events) = (Some("https://hooks.example/".to_owned()), Some(vec![EventKind::Delivered]));
    let wish = WebhookWish { name: Some("Hook".into()), url, events, ..WebhookWish::default() };
    answer(executor, Operation::WebhookAdd { account: 1, wish }).await;
    answer(executor, Operation::WebhookTest { webhook: 1 }).await;
    executor.store.webhook_calls(Id::new(1), None, 1).unwrap()[0].new.call.to_string()
}

fn settings() -> Settings {
    Settings {
        hostname: "mx.example.com".into(),
        ports: PortsView { starttls: vec![587], tls: vec![465] },
        api_url: None,
        mail_from: Some("envoi@mail.example".into()),
        demonstration: None,
        limits: Limits { console_requests_per_minute: 0, ..Limits::default() },
        is_secure: false,
    }
}

/// A console over a data folder in `folder`.
async fn world(folder: &Path) -> (World, [String; 2]) {
    let data = folder.join("data");
    let text = format!(
        "hostname = \"mx.example.com\"\ndata_dir = {data:?}\n[submission]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n"
    );
    let (config, _) = envoi::config::from_text(&text, Path::new("/envoi.toml")).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let store = Arc::new(envoi::data::open(&config, Arc::clone(&clock)).unwrap());
    let executor = Executor::new(store, &config, clock, None);
    let call = account(&executor).await;
    let tokens = [member(&executor, None, "op@example.com").await, member(&executor, Some(1), "a@acme.example").await];
    // somebody who may be given another role, and removed
    member(&executor, None, "op2@example.com").await;
    member(&executor, Some(1), "b@acme.example").await;
    let shutdown = Shutdown::new();
    let desk = Desk::open(executor, &config.limits, &shutdown);
    let recorder = Arc::new(Recorder { desk, asked: Mutex::default() });
    let router = web::console::router(Arc::clone(&recorder) as _, settings());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let face = Face::new(router, Cover::Clear, &config.limits);
    tokio::spawn(face.serve(listener, std::future::pending()));
    (World { recorder, call, browsers: [Browser::new(port), Browser::new(port)] }, tokens)
}

impl World {
    /// A route with what it names put in.
    fn path(&self, route: &str, is_of_account: bool) -> String {
        let member = if is_of_account { "4" } else { "3" };
        let known = [
            ("{domain}", "1"),
            ("{call}", self.call.as_str()),
            ("{member}", member),
            ("{message}", "01M87MBMNF8H9AK9PHKWMD8HS2"),
            ("{brake}", "A1"),
        ];
        let numbered = ["account", "user", "key", "webhook", "row", "plan", "request", "backup"];
        let path = known.iter().fold(route.to_owned(), |path, (name, value)| path.replace(name, value));
        let path = numbered.iter().fold(path, |path, name| path.replace(&format!("{{{name}}}"), "1"));
        assert!(!path.contains('{'), "{route}: say here what it names");
        path
    }

    /// What one route asks for, of whoever it is for.
    fn asked_by(&mut self, (method, route, whom): (&str, &str, For)) -> BTreeSet<Asked> {
        let is_of_account = matches!(whom, For::Account(_)) || route == "/";
        let path = self.path(route, is_of_account);
        self.recorder.asked.lock().unwrap().clear();
        let browser = &mut self.browsers[usize::from(is_of_account)];
        let mut statuses = Vec::new();
        if method == "GET" {
            for query in ["", "?account=1&order=hold"] {
                statuses.push(browser.get(&format!("{path}{query}")).status);
            }
        } else {
            for form in forms() {
                statuses.push(browser.post(&path, &form).status);
            }
        }
        assert!(statuses.iter().all(|status| *status < 500), "{method} {path}: {statuses:?}");
        std::mem::take(&mut *self.recorder.asked.lock().unwrap())
    }
}

/// A value for whatever a route may want, unsure and sure of it.
fn forms() -> [Vec<(&'static str, &'static str)>; 2] {
    let fields = [
        ("account", "1"),
        ("address", "127.0.0.9"),
        ("archive", ""),
        ("choice", "both"),
        ("domain", "1"),
        ("email", "another@example.com"),
        ("events", "recipient.delivered"),
        ("hours", "24"),
        ("language", "fr"),
        ("list", "a@b.example"),
        ("name", "Another"),
        ("on", "true"),
        ("order", "hold"),
        ("plan", "1"),
        ("powers", "activity"),
        ("primary_name", ""),
        ("recipient", "b@c.example"),
        ("recipients", "7"),
        ("renews_on", "3"),
        ("role", "regular"),
        ("sender", "a@acme.example"),
        ("site", "c.example"),
        ("source", "out1"),
        ("target", "/nowhere/at/all"),
        ("time_zone", "Europe/Paris"),
        ("to", "b@c.example"),
        ("url", "https://hooks.example/"),
        ("user", "1"),
        ("vouched", "true"),
    ];
    let with = |more: &[(&'static str, &'static str)]| [&fields[..], more].concat();
    [with(&[("typed", "acme")]), with(&[("typed", "acme.example"), ("sure", "1")])]
}

/// What changes or ends the sign-in itself: it is the door's, and no operation.
fn is_of_the_door(whom: For, route: &str) -> bool {
    whom == For::Everybody || route.starts_with("/profile") || route == "/operator/leave"
}

#[test]
fn every_operation_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut world, tokens) = runtime.block_on(world(folder.path()));
    for (browser, token) in world.browsers.iter_mut().zip(&tokens) {
        assert_eq!(browser.send("/choose-password", &[("token", token), ("password", PASSWORD)]).status, 303);
    }
    let (mut pages, mut own): (BTreeMap<&str, BTreeSet<String>>, BTreeMap<&str, bool>) = Default::default();
    for (method, route, whom) in web::console::table() {
        if is_of_the_door(whom, route) {
            continue;
        }
        for Asked { operation, is_operators, by_account } in world.asked_by((method, route, whom)) {
            pages.entry(operation).or_default().insert(format!("{method} {route}"));
            *own.entry(operation).or_default() |= by_account || is_operators;
        }
    }
    let without: BTreeMap<_, _> = WITHOUT_PAGE.iter().copied().collect();
    let missing: Vec<_> =
        Operation::NAMES.iter().filter(|name| !pages.contains_key(*name) && !without.contains_key(*name)).collect();
    assert!(missing.is_empty(), "no page, and no reason for that: {missing:?}");
    for (name, why) in &without {
        assert!(!pages.contains_key(name) && !why.is_empty(), "{name} has a page: {:?}", pages.get(name));
    }
    assert!(without.keys().all(|name| Operation::NAMES.contains(name)), "{without:?}");
    // what an account may do is on its own pages, not on the operator's alone
    let others: Vec<_> = own.into_iter().filter(|(_, is_own)| !is_own).collect();
    assert!(others.is_empty(), "no page of an account's asks for {others:?}");
}
