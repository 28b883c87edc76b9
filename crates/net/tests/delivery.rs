//! Delivery whole: the store of a data folder, the driver, the real outbound side, and a next hop on loopback.
#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use net::clock::{Clock, SystemClock, SystemDice};
use net::dispatch::{Dispatch, Handle, Metrics, Settings};
use net::dns::{Lookup, LookupError, Mx, Resolver};
use net::outbound::{Outbound, OutboundSettings};
use relay::activity::{ActivityFilter, ActivityRow, Status};
use relay::id::{Id, MessageId};
use relay::queue::{ContentFacts, Envelope, Origin};
use relay::route::{Route, RouteTls, Routes};
use relay::sending_domain::{DkimKey, DomainState, KeyAlgorithm, SendingDomain};
use relay::store::{Actor, Book, Draft, History, NewDkimKey, Spool};
use smtp::address::{Address, ReversePath};
use smtp::server::Secret;
use store::embedded::{Embedded, Options};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How long anything here may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

const HEADER: &str = "From: app@shop.example\r\nSubject: Your order\r\n\r\n";

/// What came to the next hop: reverse-path, forward-paths, content.
type Taken = (String, Vec<String>, String);

/// A next hop that takes everything but mail for `nobody@…`.
#[derive(Clone, Default)]
struct Hop {
    taken: Arc<Mutex<Vec<Taken>>>,
    connections: Arc<Mutex<usize>>,
}

impl Hop {
    async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let hop = self.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                *hop.connections.lock().unwrap() += 1;
                tokio::spawn(hop.clone().serve(socket));
            }
        });
        address
    }

    async fn serve(self, socket: TcpStream) -> std::io::Result<()> {
        socket.set_nodelay(true)?;
        let mut socket = BufReader::new(socket);
        socket.write_all(b"220 hop.example ESMTP\r\n").await?;
        let (mut sender, mut recipients) = (String::new(), Vec::new());
        loop {
            let mut line = String::new();
            if socket.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let path = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            let reply = match verb.as_str() {
                "EHLO" => "250-hop.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n",
                "MAIL" => {
                    sender = path;
                    recipients.clear();
                    "250 2.1.0 Ok\r\n"
                }
                "RCPT" if path.starts_with("nobody@") => "550 5.1.1 No such user\r\n",
                "RCPT" => {
                    recipients.push(path);
                    "250 2.1.5 Ok\r\n"
                }
                "DATA" if recipients.is_empty() => "554 5.5.1 No valid recipients\r\n",
                "DATA" => {
                    socket.write_all(b"354 Go ahead\r\n").await?;
                    let content = read_content(&mut socket).await?;
                    self.taken.lock().unwrap().push((sender.clone(), recipients.clone(), content));
                    "250 2.0.0 Ok: queued as HOP\r\n"
                }
                "QUIT" => {
                    socket.write_all(b"221 2.0.0 Bye\r\n").await?;
                    return Ok(());
                }
                _ => "250 2.0.0 Ok\r\n",
            };
            socket.write_all(reply.as_bytes()).await?;
        }
    }
}

async fn read_content(socket: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut content = String::new();
    while !content.ends_with("\r\n.\r\n") {
        if socket.read_line(&mut content).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(content)
}

/// DNS that is never asked: every domain has a route to an address.
struct NoDns;

impl Resolver for NoDns {
    fn mx<'a>(&'a self, _domain: &'a str) -> Lookup<'a, Vec<Mx>> {
        Box::pin(async { Err(LookupError::Fault("not here".into())) })
    }

    fn addresses<'a>(&'a self, _host: &'a str) -> Lookup<'a, Vec<IpAddr>> {
        Box::pin(async { Err(LookupError::Fault("not here".into())) })
    }

    fn txt<'a>(&'a self, _name: &'a str) -> Lookup<'a, Vec<String>> {
        Box::pin(async { Err(LookupError::Fault("not here".into())) })
    }
}

struct Relay {
    store: Arc<Embedded>,
    clock: Arc<SystemClock>,
    handle: Handle,
}

impl Relay {
    fn start(folder: &Path, hop: SocketAddr) -> Relay {
        let clock = Arc::new(SystemClock::new());
        let telling = clock.clone();
        let store = Arc::new(Embedded::open(folder, Options::new(Arc::new(move || telling.now()))).unwrap());
        let route = Route {
            pattern: "*".into(),
            host: hop.ip().to_string(),
            port: hop.port(),
            tls: RouteTls::None,
            implicit_tls: false,
            login: None,
            retry_for: None,
            sign_unpublished: true,
        };
        let routes = Arc::new(Routes::new(vec![route]).unwrap());
        let settings = OutboundSettings { hostname: "relay.example".into(), ..OutboundSettings::default() };
        let outbound = Outbound::new(settings, routes, Arc::new(NoDns), Box::new(SystemDice)).unwrap();
        let handle = Dispatch::start(
            Settings::new("relay.example", Id::new(1)),
            store.clone(),
            Arc::new(outbound),
            clock.clone(),
            Box::new(SystemDice),
            Metrics::default(),
        );
        Relay { store, clock, handle }
    }

    fn add_domain(&self) -> Arc<SendingDomain> {
        let (actor, now) = (Actor { name: "operator".into(), from: "test".into() }, self.clock.now());
        self.store.account_add("The relay", &actor, now).unwrap();
        let account = self.store.account_add("Shop", &actor, now).unwrap();
        let private = message::dkim::generate_ed25519().unwrap();
        let key = DkimKey::new("s1", KeyAlgorithm::Ed25519, message::dkim::record(&private).unwrap(), true);
        let keys = vec![NewDkimKey { key, private: Secret::new(private) }];
        let domain = self.store.domain_add(account.id, "shop.example", keys, &actor, now).unwrap();
        self.store.domain_state(domain.id, DomainState::Vouched, &actor, now).unwrap()
    }

    /// Keeps a message; `told` says whether the driver hears of it.
    async fn submit(&self, domain: &SendingDomain, recipients: &[&str], told: bool) -> MessageId {
        let now = self.clock.now();
        let content = Bytes::from(format!("{HEADER}It is on its way.\r\n.dotted\r\n"));
        let address = |text: &&str| Address::parse(text, false).unwrap();
        let envelope = Envelope {
            message: MessageId::new(now, &mut SystemDice),
            account: domain.account,
            user: None,
            domain: Some(domain.id),
            origin: Origin::Submission,
            reverse_path: ReversePath::Mailbox(address(&"app@shop.example")),
            recipients: recipients.iter().map(address).collect(),
            suppressed: Vec::new(),
            header_needs_smtputf8: false,
            needs_eight_bit: false,
            accepted_at: now,
            days_ahead: 0,
            retry_for: None,
            sandbox: false,
            facts: ContentFacts {
                octets: content.len() as u64,
                header_octets: HEADER.len() as u64,
                ..ContentFacts::default()
            },
            session: None,
            requests: None,
            tls_wish: relay::queue::TlsWish::AsAsked,
            priority: relay::priority::Priority::NORMAL,
        };
        let mut draft = self.store.draft().unwrap();
        draft.append(content).await.unwrap();
        self.store.commit(envelope.clone(), draft).await.unwrap();
        if told {
            self.handle.arrived(&envelope);
        }
        envelope.message
    }

    fn rows(&self, message: MessageId) -> Vec<ActivityRow> {
        let filter = ActivityFilter { message: Some(message), ..ActivityFilter::default() };
        self.store.activity(&filter).unwrap()
    }

    /// Waits until nothing is live, and activity has heard of it.
    async fn emptied(&self) {
        let emptied = async {
            while self.store.health().messages > 0 {
                let cursor = self.store.activity_cursor().unwrap();
                self.store.activity_changed(cursor, None, Duration::from_millis(50)).await;
            }
            self.store.caught_up().await;
        };
        tokio::time::timeout(PATIENCE, emptied).await.expect("the queue empties");
    }

    async fn stop(self) {
        self.handle.shutdown(PATIENCE).await;
        let Relay { store, handle, .. } = self;
        drop(handle);
        drop(Arc::into_inner(store).expect("nobody else holds the store"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_delivered_signed_and_its_failure_told() {
    let (hop, folder) = (Hop::default(), tempfile::tempdir().unwrap());
    let relay = Relay::start(folder.path(), hop.listen().await);
    let domain = relay.add_domain();
    let message = relay.submit(&domain, &["a@one.example", "nobody@two.example"], true).await;
    relay.emptied().await;
    let mut statuses: Vec<Status> = relay.rows(message).iter().map(|row| row.status).collect();
    statuses.sort_by_key(|status| format!("{status:?}"));
    assert_eq!(statuses, [Status::Delivered, Status::HardBounce]);
    let taken = hop.taken.lock().unwrap().clone();
    assert_eq!(taken.len(), 2, "the message and its notification");
    let (sender, recipients, content) = &taken[0];
    assert_eq!((sender.as_str(), recipients.as_slice()), ("app@shop.example", &["a@one.example".to_owned()][..]));
    assert!(content.starts_with("DKIM-Signature: ") && content.contains("\r\n..dotted\r\n"), "{content}");
    let (sender, recipients, content) = &taken[1];
    assert_eq!((sender.as_str(), recipients.as_slice()), ("", &["app@shop.example".to_owned()][..]));
    assert!(content.contains("550 5.1.1 No such user") && content.contains("Subject: Your order"), "{content}");
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_share_a_few_connections() {
    let (hop, folder) = (Hop::default(), tempfile::tempdir().unwrap());
    let relay = Relay::start(folder.path(), hop.listen().await);
    let domain = relay.add_domain();
    for _ in 0..200 {
        relay.submit(&domain, &["a@one.example"], true).await;
    }
    relay.emptied().await;
    assert_eq!(hop.taken.lock().unwrap().len(), 200);
    assert!(*hop.connections.lock().unwrap() <= 20);
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_before_a_restart_is_delivered_after_it() {
    let (hop, folder) = (Hop::default(), tempfile::tempdir().unwrap());
    let address = hop.listen().await;
    let relay = Relay::start(folder.path(), address);
    let domain = relay.add_domain();
    let message = relay.submit(&domain, &["a@one.example"], false).await;
    relay.stop().await;
    assert_eq!(hop.taken.lock().unwrap().len(), 0);
    let relay = Relay::start(folder.path(), address);
    relay.emptied().await;
    let rows = relay.rows(message);
    assert_eq!((rows[0].status, rows[0].attempts), (Status::Delivered, 1));
    relay.stop().await;
}
