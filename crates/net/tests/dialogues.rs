//! Every dialogue over a real socket, with TLS 1.3 and TLS 1.2, against the submission driver and the model of the store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

#[path = "../../../tests/dialogues/harness.rs"]
mod harness;

use harness::{DOMAIN, HOSTNAME, Kept, NOW, PASSWORD, Player, Scene, USERNAME};
use net::clock::ManualClock;
use net::shutdown::Shutdown;
use net::submission::{Metrics, Server, Settings, Surroundings};
use net::tls::{CertificateFiles, Certificates};
use relay::account::{Account, AccountState};
use relay::activity::ActivityFilter;
use relay::credential::PasswordKey;
use relay::id::{Id, MessageId};
use relay::plan::SubscriptionChange;
use relay::smtp_user::SmtpUser;
use relay::store::{Actor, Block, Book, Content, History, NewSmtpUser, Plans as _, SmtpUserChange, Spool, StoreError};
use relay::suppression::Suppression;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::memory::{Memory, Verb};
use tokio::runtime::Runtime;

/// How long a reply may take before the test gives up: never reached where all is well.
const PATIENCE: Duration = Duration::from_secs(20);

/// What all dialogues of a test share.
struct Stage {
    runtime: Runtime,
    certificates: Arc<Certificates>,
    client: Arc<ClientConfig>,
    /// Holds the certificate's files.
    _folder: tempfile::TempDir,
}

impl Stage {
    fn new(version: &'static SupportedProtocolVersion) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec![HOSTNAME.to_owned()]).unwrap();
        let files =
            CertificateFiles { certificate: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
        std::fs::write(&files.certificate, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Stage {
            runtime: tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap(),
            certificates: Certificates::load(vec![files]).unwrap(),
            client: Arc::new(client),
            _folder: folder,
        }
    }
}

enum Stream {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    Gone,
}

/// A client, and the server it talks to.
struct Client<'a> {
    stage: &'a Stage,
    store: Memory,
    user: Id<SmtpUser>,
    account: Id<Account>,
    /// Messages in the order of their acceptance.
    arrivals: Arc<Mutex<Vec<MessageId>>>,
    server: Server,
    shutdown: Shutdown,
    stream: Stream,
    heard: Vec<u8>,
}

fn operator() -> Actor {
    Actor { name: "operator".to_owned(), from: "test".to_owned() }
}

/// The account, domain and SMTP user of a scene, and its faults.
fn furnish(store: &Memory, scene: &Scene) -> (Id<SmtpUser>, Id<Account>) {
    let by = operator();
    let account = store.account_add("Shop", &by, NOW).unwrap().id;
    let domain = store.domain_add(account, DOMAIN, Vec::new(), &by, NOW).unwrap().id;
    store.domain_state(domain, scene.domain, &by, NOW).unwrap();
    let password = PasswordKey::new(store.password_key()).hash(PASSWORD.as_bytes());
    let user = NewSmtpUser {
        domain,
        name: "The shop".to_owned(),
        username: USERNAME.to_owned(),
        password,
        rules: scene.rules.clone(),
    };
    let user = store.smtp_user_add(user, &by, NOW).unwrap().id;
    if !scene.enabled {
        store.smtp_user_change(user, "disable", SmtpUserChange::Enabled(false), &by, NOW).unwrap();
    }
    store.account_quota(account, scene.quota(), &by, NOW).unwrap();
    if scene.without_plan {
        store.subscribe(account, SubscriptionChange::Put(None), &by, NOW).unwrap();
    }
    if scene.suspended {
        store.account_state(account, AccountState::Suspended, &by, NOW).unwrap();
    }
    for address in &scene.suppressed {
        store
            .suppress(account, &[(address.to_owned(), Suppression::manual("complained", NOW))], true, Some(&by), NOW)
            .unwrap();
    }
    if scene.blocked {
        let block = Block {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            cause: "5 wrong passwords".to_owned(),
            since: NOW,
            until: NOW.after(Duration::from_secs(900)),
            seconds: 900,
            accounts: Vec::new(),
        };
        store.block_put(&block).unwrap();
    }
    match scene.store.as_deref() {
        Some("full") => store.fail_next(Verb::Commit, StoreError::NoRoom("the disk is full".to_owned())),
        Some("unavailable") => {
            store.fail_next(Verb::Draft, StoreError::Latched("input/output error".to_owned()));
            drop(store.draft());
        }
        Some("failing") => store.fail_next(Verb::Commit, StoreError::Latched("input/output error".to_owned())),
        _ => {}
    }
    (user, account)
}

impl<'a> Client<'a> {
    fn new(stage: &'a Stage, scene: &Scene) -> Client<'a> {
        let store = Memory::new();
        let (user, account) = furnish(&store, scene);
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let settings = Settings {
            hostname: HOSTNAME.to_owned(),
            starttls: vec![any],
            tls: vec![any],
            proxies: Vec::new(),
            shared: Vec::new(),
            unsubscribe: None,
            limits: scene.limits.clone(),
        };
        let shutdown = Shutdown::new();
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let arrived = Arc::clone(&arrivals);
        let around = Surroundings {
            store: Arc::new(store.clone()),
            certificates: Arc::clone(&stage.certificates),
            clock: Arc::new(ManualClock::new(NOW)),
            arrivals: Arc::new(move |envelope| arrived.lock().unwrap().push(envelope.message)),
            metrics: Metrics::default(),
            shutdown: shutdown.clone(),
        };
        let server = stage.runtime.block_on(Server::start(settings, around)).unwrap();
        let ports = if scene.starttls { server.starttls_addresses() } else { server.tls_addresses() };
        let stream = TcpStream::connect(ports[0]).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = Client {
            stage,
            store,
            user,
            account,
            arrivals,
            server,
            shutdown,
            stream: Stream::Clear(stream),
            heard: Vec::new(),
        };
        if !scene.starttls {
            client.tls();
        }
        client
    }

    fn read(&mut self) -> usize {
        let mut octets = [0; 4096];
        let read = match &mut self.stream {
            Stream::Clear(stream) => stream.read(&mut octets),
            Stream::Tls(stream) => stream.read(&mut octets),
            Stream::Gone => return 0,
        };
        let read = match read {
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("the server is silent"),
            Err(error) => panic!("the connection broke: {error}"),
        };
        self.heard.extend_from_slice(&octets[..read]);
        read
    }
}

impl Player for Client<'_> {
    fn send(&mut self, octets: &[u8]) {
        // a server that has enough may close before it has heard all
        let _ = match &mut self.stream {
            Stream::Clear(stream) => stream.write_all(octets),
            Stream::Tls(stream) => stream.write_all(octets).and_then(|()| stream.flush()),
            Stream::Gone => Ok(()),
        };
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.heard.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.heard.drain(..end + 2).collect();
                return Some(String::from_utf8(line[..end].to_vec()).unwrap());
            }
            if self.read() == 0 {
                assert!(self.heard.is_empty(), "half a line before the end");
                return None;
            }
        }
    }

    fn unasked(&mut self) -> Vec<String> {
        String::from_utf8_lossy(&self.heard).lines().map(str::to_owned).collect()
    }

    fn tls(&mut self) {
        let Stream::Clear(stream) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            panic!("TLS inside TLS");
        };
        let name = ServerName::try_from(HOSTNAME).unwrap();
        let connection = ClientConnection::new(Arc::clone(&self.stage.client), name).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).unwrap();
        }
        self.stream = Stream::Tls(Box::new(stream));
    }

    fn hang_up(&mut self) {
        self.stream = Stream::Gone;
        self.heard.clear();
    }

    fn event(&mut self, event: &str) {
        let by = operator();
        let change = |change| drop(self.store.smtp_user_change(self.user, event, change, &by, NOW).unwrap());
        match event {
            "disable user" => change(SmtpUserChange::Enabled(false)),
            "reset password" => {
                let key = PasswordKey::new(self.store.password_key());
                change(SmtpUserChange::Passwords(vec![key.hash(b"another")]));
            }
            "delete user" => self.store.smtp_user_delete(self.user, &by, NOW).unwrap(),
            "suspend account" => {
                drop(self.store.account_state(self.account, AccountState::Suspended, &by, NOW).unwrap());
            }
            "shut down" => self.shutdown.begin(),
            other => panic!("no such event: {other}"),
        }
    }

    fn kept(&mut self) -> Vec<Kept> {
        // whatever is still said is waited for: afterwards nothing moves any more
        self.hang_up();
        self.shutdown.begin();
        let (runtime, store) = (&self.stage.runtime, &self.store);
        runtime.block_on(self.server.finished());
        let peek = |message: &MessageId| {
            let claimed = runtime.block_on(store.peek(*message)).unwrap().unwrap();
            let Content::Held(content) = claimed.content else { panic!("the model files nothing") };
            let envelope = claimed.envelope;
            let utf8 = envelope.needs_smtputf8(&envelope.recipients).then_some("smtputf8");
            let eight = envelope.needs_eight_bit.then_some("8bitmime");
            Kept {
                reverse_path: envelope.reverse_path.to_string(),
                recipients: envelope.recipients.iter().map(ToString::to_string).collect(),
                suppressed: envelope.suppressed.iter().map(ToString::to_string).collect(),
                needs: utf8.into_iter().chain(eight).collect(),
                content: content.to_vec(),
            }
        };
        let arrivals = self.arrivals.lock().unwrap();
        assert_eq!(arrivals.len(), store.queue(None, 1_000).len(), "what arrived is what is in the queue");
        arrivals.iter().map(peek).collect()
    }

    fn noted(&mut self) -> Option<Vec<(String, String)>> {
        let rows = self.store.activity(&ActivityFilter { limit: 1_000, ..ActivityFilter::default() }).unwrap();
        let connections = self.store.connections(None, None, 1_000).unwrap();
        let rejected = rows.into_iter().map(|row| (row.reference, row.recipient));
        Some(rejected.chain(connections.into_iter().map(|row| (row.notice.reference, row.notice.recipient))).collect())
    }
}

fn replay(version: &'static SupportedProtocolVersion) {
    let stage = Stage::new(version);
    let scripts: Vec<_> = harness::all().into_iter().filter(|script| script.is_for("socket")).collect();
    let mut failed = Vec::new();
    for script in &scripts {
        let run = || harness::play(script, &mut Client::new(&stage, &script.scene));
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err() {
            failed.push(script.name.as_str());
        }
    }
    assert!(failed.is_empty(), "{} of {} dialogues failed: {failed:?}", failed.len(), scripts.len());
}

#[test]
fn over_tls_1_3() {
    replay(&rustls::version::TLS13);
}

#[test]
fn over_tls_1_2() {
    replay(&rustls::version::TLS12);
}
