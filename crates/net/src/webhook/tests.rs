//! Sending to receivers of the test's own on loopback, with a clock that the test sets.

use super::*;

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use relay::clock::Timestamp;
use relay::store::{Book as _, NewWebhook, Webhooks as _};
use relay::webhook::{CallState, EventKind, RETRY_FOR, Redo, test_call};
use smtp::server::Secret;
use store::memory::Memory;

use crate::clock::{ManualClock, SystemDice, system_dice};
use crate::dns::{Lookup, LookupError, Mx};

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const SECRET: &[u8] = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as it came.
struct Asked {
    head: String,
    body: String,
}

impl Asked {
    fn field(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    /// Each signature that is right under this secret: the specification in other words than ours.
    fn is_signed_by(&self, secret: &[u8]) -> bool {
        let key = STANDARD.decode(&secret[b"whsec_".len()..]).unwrap();
        let signed = [self.field("webhook-id"), self.field("webhook-timestamp"), &self.body].join(".");
        self.field("webhook-signature").split(' ').any(|signature| {
            let tag = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
            hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes(), &tag).is_ok()
        })
    }
}

/// A receiver that gives these answers, one after the other, then 200.
struct Hook {
    address: SocketAddr,
    asked: Receiver<Asked>,
}

impl Hook {
    fn start(answers: &[&str]) -> Hook {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (told, asked) = channel();
        let answers = Mutex::new(answers.iter().map(|answer| (*answer).to_owned()).collect::<VecDeque<_>>());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                while let Some(request) = request(&mut stream) {
                    let answer = answers.lock().unwrap().pop_front();
                    let answer = answer.unwrap_or_else(|| "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned());
                    // the test may have ended, or the client gone away
                    if stream.write_all(answer.as_bytes()).is_err() || told.send(request).is_err() {
                        break;
                    }
                }
            }
        });
        Hook { address, asked }
    }

    async fn next(&self) -> Asked {
        tokio::task::block_in_place(|| self.asked.recv_timeout(PATIENCE)).unwrap()
    }

    fn is_quiet(&self) -> bool {
        self.asked.try_recv().is_err()
    }
}

fn request(stream: &mut std::net::TcpStream) -> Option<Asked> {
    let (mut octets, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&octets).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let asked = Asked { head: head.to_owned(), body: body.to_owned() };
            if asked.field("content-length").parse() == Ok(asked.body.len()) {
                return Some(asked);
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(read) => octets.extend_from_slice(&piece[..read]),
        }
    }
}

/// DNS in which every name leads to loopback.
struct Loopback;

impl Resolver for Loopback {
    fn mx<'a>(&'a self, _: &'a str) -> Lookup<'a, Vec<Mx>> {
        Box::pin(async { Err(LookupError::NoRecord) })
    }

    fn addresses<'a>(&'a self, host: &'a str) -> Lookup<'a, Vec<IpAddr>> {
        let none = host.starts_with("nowhere");
        Box::pin(async move { if none { Err(LookupError::NoSuchName) } else { Ok(vec![[127, 0, 0, 1].into()]) } })
    }

    fn txt<'a>(&'a self, _: &'a str) -> Lookup<'a, Vec<String>> {
        Box::pin(async { Err(LookupError::NoRecord) })
    }
}

struct World {
    store: Memory,
    clock: Arc<ManualClock>,
    handle: Handle,
    shutdown: Shutdown,
}

fn actor() -> Actor {
    Actor { name: "operator".into(), from: "test".into() }
}

impl World {
    fn new() -> World {
        let store = Memory::new();
        store.account_add("Shop", &actor(), NOW).unwrap();
        World::with(store, settings(true))
    }

    fn with(store: Memory, settings: Settings) -> World {
        let (clock, shutdown) = (Arc::new(ManualClock::new(NOW)), Shutdown::new());
        let around = Surroundings {
            store: Arc::new(store.clone()),
            resolver: Arc::new(Loopback),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            dice: system_dice(),
            metrics: Metrics::default(),
        };
        let handle = start(settings, around, &shutdown).unwrap();
        World { store, clock, handle, shutdown }
    }

    /// A webhook of account 1.
    fn webhook(&self, url: &str) -> Arc<Webhook> {
        let new = NewWebhook {
            account: Id::new(1),
            name: "Hook".into(),
            url: url.to_owned(),
            events: vec![EventKind::Delivered],
            domain: None,
            user: None,
        };
        self.store.webhook_add(new, Secret::new(SECRET.to_vec()), &actor(), NOW).unwrap()
    }

    fn call(&self, webhook: &Webhook) -> relay::webhook::CallId {
        let call = test_call(webhook, self.clock.now(), &mut SystemDice);
        let id = call.call;
        self.store.webhook_put(call).unwrap();
        id
    }

    /// Time passes, and the driver looks at the clock.
    fn after(&self, time: Duration) {
        self.clock.advance(time);
        self.handle.directory_changed();
    }

    /// The call, as soon as it is so.
    async fn until(&self, webhook: &Webhook, call: relay::webhook::CallId, is_so: impl Fn(&Call) -> bool) -> Call {
        let looking = async {
            loop {
                let found = self.store.webhook_call(webhook.id, call).unwrap().unwrap();
                if is_so(&found) {
                    return found;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.expect("it did not become so")
    }

    async fn ended(&self, webhook: &Webhook, call: relay::webhook::CallId) -> Call {
        self.until(webhook, call, |call| call.state != CallState::Waiting).await
    }
}

fn settings(allow_private: bool) -> Settings {
    let limits = Limits { webhook_seconds: 10, ..Limits::default() };
    Settings { allow_private, own: Vec::new(), authorities: Vec::new(), system_authorities: false, limits }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_signed_and_taken() {
    let (world, hook) = (World::new(), Hook::start(&[]));
    let webhook = world.webhook(&format!("http://localhost:{}/in?x=1", hook.address.port()));
    let call = world.call(&webhook);
    let asked = hook.next().await;
    assert!(asked.head.starts_with("POST /in?x=1 HTTP/1.1\r\n"), "{}", asked.head);
    assert_eq!(asked.field("host"), format!("localhost:{}", hook.address.port()));
    assert_eq!((asked.field("content-type"), asked.field("webhook-timestamp")), ("application/json", "1800000000"));
    assert_eq!(asked.field("webhook-id"), call.to_string());
    assert!(asked.is_signed_by(SECRET) && !asked.is_signed_by(b"whsec_AAAA"));
    // the three fields of the specification
    for field in [r#""type":"webhook.test""#, r#""timestamp":"2027-01-15T08:00:00.000Z""#, r#""data":{"#] {
        assert!(asked.body.contains(field), "{}", asked.body);
    }
    let call = world.ended(&webhook, call).await;
    let last = call.last.unwrap();
    assert_eq!((call.state, call.attempts, last.status), (CallState::Delivered, 1, Some(200)));
    assert_eq!((last.at, last.fault.as_str(), last.answer.as_str()), (NOW, "", "ok"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_taken_is_sent_again_later_the_same() {
    let answers = [
        "HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\nbusy",
        "HTTP/1.1 302 Elsewhere\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
    ];
    let (world, hook) = (World::new(), Hook::start(&answers));
    let webhook = world.webhook(&format!("http://127.0.0.1:{}/", hook.address.port()));
    let call = world.call(&webhook);
    let first = hook.next().await;
    let failed = world.until(&webhook, call, |call| call.attempts == 1).await;
    let last = failed.last.unwrap();
    assert_eq!(
        (last.status, last.fault.as_str(), last.answer.as_str()),
        (Some(500), "The receiver answered 500.", "busy")
    );
    assert!(failed.due > NOW && failed.due <= NOW.after(Duration::from_secs(13)) && hook.is_quiet());
    world.after(Duration::from_secs(20));
    let second = hook.next().await;
    assert_eq!((second.field("webhook-id"), &second.body), (first.field("webhook-id"), &first.body));
    assert_eq!(second.field("webhook-timestamp"), "1800000020", "the attempt's, so that old ones can be refused");
    assert!(second.is_signed_by(SECRET));
    let moved = world.until(&webhook, call, |call| call.attempts == 2).await;
    assert!(moved.last.unwrap().fault.contains("redirections are not followed"));
    world.after(Duration::from_secs(60));
    hook.next().await;
    assert_eq!(world.ended(&webhook, call).await.state, CallState::Delivered);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_where_the_relay_stops_in_between() {
    let world = World::new();
    // nothing listens there
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let webhook = world.webhook(&format!("http://{closed}/"));
    let call = world.call(&webhook);
    let failed = world.until(&webhook, call, |call| call.attempts == 1).await;
    assert!(failed.last.unwrap().fault.contains("cannot be reached"));
    world.shutdown.begin();
    assert!(world.shutdown.finished(PATIENCE).await);
    let hook = Hook::start(&[]);
    let url = format!("http://{}/", hook.address);
    let moved = WebhookChange::Settings(Webhook { url, ..(*webhook).clone() });
    world.store.webhook_change(webhook.id, moved, &actor(), NOW).unwrap();
    let again = World::with(world.store.clone(), settings(true));
    again.after(Duration::from_secs(20));
    assert_eq!(hook.next().await.field("webhook-id"), call.to_string());
    again.ended(&webhook, call).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_down_for_a_day_is_given_up() {
    let world = World::new();
    let webhook = world.webhook("http://nowhere.example/");
    let call = world.call(&webhook);
    world.until(&webhook, call, |call| call.attempts == 1).await;
    world.after(RETRY_FOR);
    let given_up = world.ended(&webhook, call).await;
    assert_eq!(given_up.state, CallState::Failed);
    assert!(given_up.last.unwrap().fault.contains("nowhere.example has no address"));
    // and is sent once more where somebody asks for it
    assert_eq!(world.store.webhook_redo(webhook.id, Redo::FailedSince(NOW), world.clock.now()).unwrap(), 1);
    world.until(&webhook, call, |call| call.attempts == 1 && call.state == CallState::Waiting).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gone_switches_it_off_and_tells_its_account() {
    let (world, hook) = (World::new(), Hook::start(&["HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"]));
    let webhook = world.webhook(&format!("http://{}/", hook.address));
    let call = world.call(&webhook);
    hook.next().await;
    world.ended(&webhook, call).await;
    let off = async {
        while world.store.directory().webhook(webhook.id).unwrap().state != WebhookState::Gone {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, off).await.unwrap();
    let line = world.store.audit(Some(Id::new(1)), 1).unwrap().remove(0);
    assert_eq!((line.action.as_str(), line.actor.name.as_str()), ("webhook.gone", "system"));
    let waiting = world.call(&webhook);
    let still = world.store.webhook_call(webhook.id, waiting).unwrap().unwrap();
    assert_eq!((still.state, still.attempts), (CallState::Waiting, 0));
    // switched on again, it is sent what waited
    let on = WebhookChange::State(WebhookState::Enabled);
    world.store.webhook_change(webhook.id, on, &actor(), NOW).unwrap();
    world.handle.directory_changed();
    assert_eq!(hook.next().await.field("webhook-id"), waiting.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_for_an_account_that_is_suspended() {
    let (world, hook) = (World::new(), Hook::start(&[]));
    let webhook = world.webhook(&format!("http://{}/", hook.address));
    let state = |state| world.store.account_state(Id::new(1), state, &actor(), NOW).unwrap();
    state(AccountState::Suspended);
    let call = world.call(&webhook);
    // another account's call goes out after it was its turn
    let other = world.store.account_add("Other", &actor(), NOW).unwrap().id;
    let new = NewWebhook {
        account: other,
        name: "Hook".into(),
        url: webhook.url.clone(),
        events: vec![EventKind::Delivered],
        domain: None,
        user: None,
    };
    let others = world.store.webhook_add(new, Secret::new(SECRET.to_vec()), &actor(), NOW).unwrap();
    let others_call = world.call(&others);
    assert_eq!(hook.next().await.field("webhook-id"), others_call.to_string());
    world.ended(&others, others_call).await;
    assert_eq!(world.store.webhook_call(webhook.id, call).unwrap().unwrap().attempts, 0);
    state(AccountState::Active);
    world.handle.directory_changed();
    assert_eq!(hook.next().await.field("webhook-id"), call.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_rotation_both_secrets_sign_for_a_day() {
    let (world, hook) = (World::new(), Hook::start(&[]));
    let webhook = world.webhook(&format!("http://{}/", hook.address));
    let new: &[u8] = b"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    let rotated = WebhookChange::Secret(Secret::new(new.to_vec()));
    world.store.webhook_change(webhook.id, rotated, &actor(), NOW).unwrap();
    world.call(&webhook);
    let asked = hook.next().await;
    assert!(asked.is_signed_by(SECRET) && asked.is_signed_by(new), "{}", asked.field("webhook-signature"));
    world.after(relay::webhook::ROTATION);
    world.call(&webhook);
    let asked = hook.next().await;
    assert!(!asked.is_signed_by(SECRET) && asked.is_signed_by(new), "{}", asked.field("webhook-signature"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_addresses_are_not_dialled_whoever_names_them() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let store = Memory::new();
    store.account_add("Shop", &actor(), NOW).unwrap();
    let world = World::with(store, settings(false));
    for (url, fault) in [
        // a name whose address is private, whatever it was when the webhook was made
        (format!("https://hook.example:{port}/"), "hook.example is 127.0.0.1, a loopback address"),
        // kept from when the operator allowed it
        (format!("https://127.0.0.1:{port}/"), "127.0.0.1 is a loopback address"),
        (format!("https://[::ffff:127.0.0.1]:{port}/"), "a loopback address"),
        (format!("http://hook.example:{port}/"), "it has to begin with https://"),
        (format!("https://localhost:{port}/"), "neither a name of the internet"),
    ] {
        let webhook = world.webhook(&url);
        let call = world.call(&webhook);
        let refused = world.until(&webhook, call, |call| call.attempts == 1).await;
        let last = refused.last.unwrap();
        assert!(last.fault.contains(fault) && last.status.is_none(), "{url}: {}", last.fault);
    }
    assert!(listener.accept().is_err(), "it was dialled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_receiver_that_says_nothing_delays_nobody_else() {
    let world = World::new();
    // takes connections, and never answers
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let slow = world.webhook(&format!("http://{}/", silent.local_addr().unwrap()));
    (0..50).for_each(|_| {
        world.call(&slow);
    });
    let hook = Hook::start(&[]);
    world.store.account_add("Other", &actor(), NOW).unwrap();
    let other = world.webhook(&format!("http://{}/", hook.address));
    let call = world.call(&other);
    hook.next().await;
    world.ended(&other, call).await;
    assert!(world.store.webhook_calls(slow.id, None, 100).unwrap().iter().all(|call| call.attempts == 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_answers_are_not_read_to_their_end_and_many_calls_go_on_one_connection() {
    let body = "x".repeat(200_000);
    let long = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let (world, hook) = (World::new(), Hook::start(&[&long]));
    let webhook = world.webhook(&format!("http://{}/", hook.address));
    let first = world.call(&webhook);
    let kept = world.ended(&webhook, first).await;
    assert_eq!((kept.state, kept.last.unwrap().answer.len()), (CallState::Delivered, 1_000));
    let more: Vec<_> = (0..40).map(|_| world.call(&webhook)).collect();
    for call in more {
        assert_eq!(world.ended(&webhook, call).await.state, CallState::Delivered);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_has_to_be_right() {
    let made = rcgen::generate_simple_self_signed(vec!["hook.example".to_owned()]).unwrap();
    let chain = vec![made.cert.der().clone()];
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.clone(), key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut piece = [0; 4096];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut piece).await;
            let answer = b"HTTP/1.1 204 None\r\nConnection: close\r\n\r\n";
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await;
            let _ = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
        }
    });
    let store = Memory::new();
    store.account_add("Shop", &actor(), NOW).unwrap();
    let strict = World::with(store.clone(), settings(true));
    let webhook = strict.webhook(&format!("https://hook.example:{port}/"));
    let call = strict.call(&webhook);
    let refused = strict.until(&webhook, call, |call| call.attempts == 1).await;
    assert!(refused.last.unwrap().fault.starts_with("TLS with hook.example failed"), "nobody vouches for it");
    strict.shutdown.begin();
    assert!(strict.shutdown.finished(PATIENCE).await);
    let trusting = World::with(store, Settings { authorities: chain, ..settings(true) });
    trusting.after(Duration::from_secs(20));
    assert_eq!(trusting.ended(&webhook, call).await.state, CallState::Delivered);
    let elsewhere = trusting.webhook(&format!("https://other.example:{port}/"));
    let call = trusting.call(&elsewhere);
    let refused = trusting.until(&elsewhere, call, |call| call.attempts == 1).await;
    assert!(refused.last.unwrap().fault.starts_with("TLS with other.example failed"), "it is another's certificate");
}
