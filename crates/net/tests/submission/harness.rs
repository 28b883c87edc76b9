//! A relay on loopback with one SMTP user, and a client that speaks line by line.

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use net::clock::{Clock, ManualClock};
use net::shutdown::Shutdown;
use net::submission::{Metrics, Server, Settings, Surroundings};
use net::tls::{CertificateFiles, Certificates};
use relay::activity::Notice;
use relay::clock::Timestamp;
use relay::credential::PasswordKey;
use relay::id::{Id, MessageId};
use relay::limits::Limits;
use relay::queue::Envelope;
use relay::sending_domain::DomainState;
use relay::smtp_user::{SmtpUser, UserRules};
use relay::store::{Actor, Book, Claimed, Content, History, NewSmtpUser, SmtpUserChange, Spool};
use store::memory::Memory;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub(crate) const NAME: &str = "relay.example.net";
pub(crate) const START: Timestamp = Timestamp(1_800_000_000_000);
/// Longer than anything here takes; only a fault is waited for so long.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn by() -> Actor {
    Actor { name: "operator".into(), from: "test".into() }
}

/// What outlives a server: store, certificates, clock, settings.
pub(crate) struct Relay {
    pub(crate) store: Memory,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) settings: Settings,
    pub(crate) files: Vec<CertificateFiles>,
    pub(crate) user: Id<SmtpUser>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) arrived: Arc<Mutex<Vec<MessageId>>>,
}

/// A running server of a relay.
pub(crate) struct Running {
    pub(crate) server: Server,
    pub(crate) shutdown: Shutdown,
    pub(crate) starttls: SocketAddr,
    pub(crate) tls: SocketAddr,
}

impl Relay {
    pub(crate) fn new() -> Relay {
        Relay::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Relay {
        let store = Memory::new();
        let account = store.account_add("Acme", &by(), START).unwrap().id;
        let domain = store.domain_add(account, "example.com", vec![], &by(), START).unwrap().id;
        store.domain_state(domain, DomainState::Vouched, &by(), START).unwrap();
        let user = NewSmtpUser {
            domain,
            name: "Shop".into(),
            username: "alice".into(),
            password: PasswordKey::new(store.password_key()).hash(b"right"),
            rules: UserRules::default(),
        };
        let user = store.smtp_user_add(user, &by(), START).unwrap().id;
        let folder = tempfile::tempdir().unwrap();
        let files = vec![write_certificate(folder.path(), "p256", NAME, &PKCS_ECDSA_P256_SHA256)];
        let certificates = Certificates::load(files.clone()).unwrap();
        let settings = Settings {
            hostname: NAME.into(),
            starttls: vec!["127.0.0.1:0".parse().unwrap()],
            tls: vec!["127.0.0.1:0".parse().unwrap()],
            proxies: vec![],
            shared: vec![],
            unsubscribe: Some("https://mail.example.net".into()),
            limits,
        };
        let clock = Arc::new(ManualClock::new(START));
        Relay { store, clock, settings, files, user, folder, certificates, arrived: Arc::default() }
    }

    /// With an RSA certificate of the same name beside the first.
    pub(crate) fn with_rsa() -> Relay {
        let mut relay = Relay::new();
        relay.files.push(write_certificate(relay.folder.path(), "rsa", NAME, &PKCS_RSA_SHA256));
        relay.certificates = Certificates::load(relay.files.clone()).unwrap();
        relay
    }

    pub(crate) async fn start(&self) -> Running {
        let shutdown = Shutdown::new();
        let arrived = Arc::clone(&self.arrived);
        let around = Surroundings {
            store: Arc::new(self.store.clone()),
            certificates: Arc::clone(&self.certificates),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            arrivals: Arc::new(move |envelope: &Envelope| arrived.lock().unwrap().push(envelope.message)),
            metrics: Metrics::default(),
            shutdown: shutdown.clone(),
        };
        let server = Server::start(self.settings.clone(), around).await.unwrap();
        let (starttls, tls) = (server.starttls_addresses()[0], server.tls_addresses()[0]);
        Running { server, shutdown, starttls, tls }
    }

    pub(crate) fn rules(&self, change: impl FnOnce(&mut UserRules)) {
        let mut rules = UserRules::default();
        change(&mut rules);
        self.change(SmtpUserChange::Rules(rules));
    }

    pub(crate) fn change(&self, change: SmtpUserChange) {
        self.store.smtp_user_change(self.user, "change", change, &by(), self.clock.now()).unwrap();
    }

    /// The messages that are kept, oldest first.
    pub(crate) async fn kept(&self) -> Vec<(Claimed, String)> {
        let mut kept = Vec::new();
        for entry in self.store.queue(None, 1_000) {
            let claimed = self.store.peek(entry.message).await.unwrap().unwrap();
            let Content::Held(content) = &claimed.content else { panic!("the model holds content in memory") };
            let content = String::from_utf8(content.to_vec()).unwrap();
            kept.push((claimed, content));
        }
        kept
    }

    /// References of the Connections rows so far.
    pub(crate) fn connection_references(&self) -> Vec<String> {
        self.connections().into_iter().map(|notice| notice.reference).collect()
    }

    pub(crate) fn connections(&self) -> Vec<Notice> {
        self.store.connections(None, None, 100).unwrap().into_iter().map(|row| row.notice).collect()
    }
}

impl Running {
    /// A connection to the STARTTLS port, greeting read.
    pub(crate) async fn clear(&self) -> Client<TcpStream> {
        Client::greeted(TcpStream::connect(self.starttls).await.unwrap(), "220 ").await
    }

    /// A session on the STARTTLS port behind STARTTLS and EHLO.
    pub(crate) async fn starttls(&self) -> Client<impl AsyncRead + AsyncWrite + Unpin + Send> {
        let mut client = self.clear().await;
        client.expect("EHLO client.example", "250").await;
        client.expect("STARTTLS", "220 2.0.0").await;
        let stream = connector(&[&rustls::version::TLS13]).connect(server_name(), client.into_inner()).await.unwrap();
        let mut client = Client::new(stream);
        client.expect("EHLO client.example", "250").await;
        client
    }

    /// A connection to the TLS port, greeting read.
    pub(crate) async fn secure(&self) -> Client<tokio_rustls::client::TlsStream<TcpStream>> {
        Client::greeted(self.handshake(&[&rustls::version::TLS13]).await, "220 ").await
    }

    pub(crate) async fn handshake(
        &self,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> tokio_rustls::client::TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.tls).await.unwrap();
        connector(versions).connect(server_name(), stream).await.unwrap()
    }

    /// A session of alice's on the TLS port.
    pub(crate) async fn logged_in(&self) -> Client<tokio_rustls::client::TlsStream<TcpStream>> {
        let mut client = self.secure().await;
        client.expect("EHLO client.example", "250").await;
        client.login("alice", "right", "235 ").await;
        client
    }

    pub(crate) async fn stop(&self) {
        self.shutdown.begin();
        self.server.finished().await;
    }
}

/// A client that speaks line by line.
pub(crate) struct Client<T> {
    stream: T,
    read: Vec<u8>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Client<T> {
    pub(crate) fn new(stream: T) -> Self {
        Client { stream, read: Vec::new() }
    }

    pub(crate) async fn greeted(stream: T, start: &str) -> Self {
        let mut client = Client::new(stream);
        let greeting = client.reply().await;
        assert!(greeting.starts_with(start), "{greeting}");
        client
    }

    pub(crate) fn into_inner(self) -> T {
        assert!(self.read.is_empty(), "{:?}", self.read);
        self.stream
    }

    pub(crate) async fn write(&mut self, octets: impl AsRef<[u8]>) {
        self.stream.write_all(octets.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// One whole reply, lines joined by `\n`; empty where the connection ended.
    pub(crate) async fn reply(&mut self) -> String {
        let mut lines: Vec<String> = Vec::new();
        loop {
            if let Some(end) = self.read.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<_> = self.read.drain(..end + 2).collect();
                let line = String::from_utf8(line[..end].to_vec()).unwrap();
                let last = line.as_bytes().get(3) != Some(&b'-');
                lines.push(line);
                if last {
                    return lines.join("\n");
                }
                continue;
            }
            let mut octets = [0; 4096];
            let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut octets)).await.expect("no reply came");
            match read {
                Ok(count @ 1..) => self.read.extend_from_slice(&octets[..count]),
                _ => return lines.join("\n"),
            }
        }
    }

    pub(crate) async fn command(&mut self, line: &str) -> String {
        self.write(format!("{line}\r\n")).await;
        self.reply().await
    }

    pub(crate) async fn expect(&mut self, line: &str, start: &str) -> String {
        let reply = self.command(line).await;
        assert!(reply.starts_with(start), "{line}: {reply}");
        reply
    }

    pub(crate) async fn login(&mut self, username: &str, password: &str, start: &str) -> String {
        let token = base64(format!("\0{username}\0{password}").as_bytes());
        self.expect(&format!("AUTH PLAIN {token}"), start).await
    }

    /// MAIL, RCPT and DATA for one recipient.
    pub(crate) async fn begin(&mut self) {
        self.expect("MAIL FROM:<shop@example.com>", "250").await;
        self.expect("RCPT TO:<mario@example.org>", "250").await;
        self.expect("DATA", "354").await;
    }

    pub(crate) async fn send(&mut self, body: &str) -> String {
        self.begin().await;
        self.write(format!("From: shop@example.com\r\nSubject: Hello\r\n\r\n{body}\r\n.\r\n")).await;
        self.reply().await
    }

    /// Nothing more comes.
    pub(crate) async fn ended(&mut self) {
        assert_eq!(self.reply().await, "");
    }
}

pub(crate) fn write_certificate(
    folder: &Path,
    file: &str,
    name: &str,
    algorithm: &'static SignatureAlgorithm,
) -> CertificateFiles {
    let pair = KeyPair::generate_for(algorithm).unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&pair).unwrap();
    let files =
        CertificateFiles { certificate: folder.join(format!("{file}.pem")), key: folder.join(format!("{file}.key")) };
    std::fs::write(&files.certificate, certificate.pem()).unwrap();
    std::fs::write(&files.key, pair.serialize_pem()).unwrap();
    files
}

pub(crate) fn server_name() -> ServerName<'static> {
    ServerName::try_from(NAME).unwrap()
}

/// A client of these versions that takes any certificate: which one it is, is looked at where it matters.
pub(crate) fn connector(versions: &[&'static rustls::SupportedProtocolVersion]) -> TlsConnector {
    TlsConnector::from(Arc::new(client_config(versions, false)))
}

pub(crate) fn client_config(versions: &[&'static rustls::SupportedProtocolVersion], rsa_only: bool) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    config.dangerous().set_certificate_verifier(Arc::new(Trusting { rsa_only }));
    config
}

/// A client that trusts these certificates alone.
pub(crate) fn strict(trusted: &[CertificateFiles]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    for files in trusted {
        roots.add(CertificateDer::from_pem_file(&files.certificate).unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

#[derive(Debug)]
struct Trusting {
    rsa_only: bool,
}

impl rustls::client::danger::ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
        let schemes = algorithms.supported_schemes().into_iter();
        schemes.filter(|scheme| !self.rsa_only || format!("{scheme:?}").starts_with("RSA")).collect()
    }
}

/// Base64 (RFC 4648 §4), for credentials.
pub(crate) fn base64(octets: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in octets.chunks(3) {
        let mut three = [0; 3];
        three[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// Waits until something is so; fails where it never comes to be.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("what was waited for never came");
}
