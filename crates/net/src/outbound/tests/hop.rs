//! A next hop that does as a test says, and remembers what it heard.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What the hop does at a line.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Says this; after a `354` it takes content until the lone dot, then asks for `.`.
    Say(String),
    /// Says this and hangs up.
    SayAndDrop(String),
    /// Hangs up.
    Drop,
    /// Says nothing more, and leaves the connection open.
    Mute,
    /// Says `220` and does the handshake.
    Handshake,
    /// Says `220` and garbage instead of a handshake.
    BrokenHandshake,
    /// Drips these octets one by one for ever.
    Drip(u8),
    /// Says this over and over, until nobody listens.
    Flood(String),
}

pub(super) fn say(text: &str) -> Act {
    Act::Say(format!("{text}\r\n"))
}

/// Gives the act for a line; the number is that of the connection. The greeting is asked for by `""`,
/// the reply to the content by `.`.
pub(super) type Script = Arc<dyn Fn(usize, &str) -> Act + Send + Sync>;

/// What was heard.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    pub(super) connections: usize,
    /// Every line of every connection, in order.
    pub(super) lines: Vec<String>,
    /// Every content that came whole, dots as sent, without the lone one.
    pub(super) contents: Vec<Vec<u8>>,
}

pub(super) struct Hop {
    pub(super) address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Hop {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Hop {
    pub(super) async fn start(script: Script) -> Hop {
        Hop::start_at("127.0.0.1:0", None, script).await
    }

    pub(super) async fn start_at(address: &str, acceptor: Option<TlsAcceptor>, script: Script) -> Hop {
        Hop::begin(address, acceptor, false, script).await
    }

    /// One that does the handshake before it says anything.
    pub(super) async fn start_implicit(acceptor: TlsAcceptor, script: Script) -> Hop {
        Hop::begin("127.0.0.1:0", Some(acceptor), true, script).await
    }

    async fn begin(address: &str, acceptor: Option<TlsAcceptor>, is_implicit: bool, script: Script) -> Hop {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let record = Arc::clone(&heard);
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let number = {
                    let mut heard = record.lock().unwrap();
                    heard.connections += 1;
                    heard.connections - 1
                };
                let talk = Talk { number, heard: Arc::clone(&record), script: Arc::clone(&script) };
                match acceptor.clone().filter(|_| is_implicit) {
                    Some(acceptor) => tokio::spawn(talk.run_under_tls(stream, acceptor)),
                    None => tokio::spawn(talk.run(stream, acceptor.clone())),
                };
            }
        });
        Hop { address, heard, serving }
    }

    pub(super) fn heard(&self) -> Heard {
        self.heard.lock().unwrap().clone()
    }
}

struct Talk {
    number: usize,
    heard: Arc<Mutex<Heard>>,
    script: Script,
}

impl Talk {
    async fn run(self, stream: TcpStream, acceptor: Option<TlsAcceptor>) {
        // a peer that goes away ends the talk, whatever it was about
        let mut clear = BufStream::new(stream);
        match self.serve(&mut clear, "").await {
            Some(Act::Handshake) => {
                let Ok(stream) = acceptor.unwrap().accept(clear.into_inner()).await else { return };
                let mut stream = BufStream::new(stream);
                let _ = self.serve(&mut stream, "(tls)").await;
            }
            Some(_) => std::future::pending().await,
            None => {}
        }
    }

    async fn run_under_tls(self, stream: TcpStream, acceptor: TlsAcceptor) {
        let Ok(stream) = acceptor.accept(stream).await else { return };
        let _ = self.serve(&mut BufStream::new(stream), "").await;
    }

    /// Serves until something special is to be done.
    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: &mut BufStream<S>, begin: &str) -> Option<Act> {
        let mut line = begin.to_owned();
        if begin == "(tls)" {
            line = self.line(stream).await?;
        }
        loop {
            let act = (self.script)(self.number, &line);
            match act {
                Act::Say(text) => {
                    stream.write_all(text.as_bytes()).await.ok()?;
                    stream.flush().await.ok()?;
                    if text.starts_with("354") {
                        self.content(stream).await?;
                        line = ".".into();
                        continue;
                    }
                    if text.starts_with("221") {
                        return None;
                    }
                }
                Act::SayAndDrop(text) => {
                    stream.write_all(text.as_bytes()).await.ok()?;
                    stream.shutdown().await.ok()?;
                    return None;
                }
                Act::Drop => return None,
                Act::Mute => return Some(Act::Mute),
                Act::Handshake | Act::BrokenHandshake => {
                    stream.write_all(b"220 go\r\n").await.ok()?;
                    stream.flush().await.ok()?;
                    if matches!(act, Act::Handshake) {
                        return Some(Act::Handshake);
                    }
                    stream.write_all(b"this is no TLS record at all\r\n").await.ok()?;
                    stream.flush().await.ok()?;
                    // reads what the client says to that, so that the end is orderly
                    let _ = stream.read(&mut [0; 1024]).await;
                    return None;
                }
                Act::Drip(octet) => loop {
                    stream.write_all(&[octet]).await.ok()?;
                    stream.flush().await.ok()?;
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                },
                Act::Flood(text) => loop {
                    stream.write_all(text.as_bytes()).await.ok()?;
                },
            }
            line = self.line(stream).await?;
        }
    }

    async fn line<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: &mut BufStream<S>) -> Option<String> {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        self.heard.lock().unwrap().lines.push(line.clone());
        Some(line)
    }

    async fn content<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: &mut BufStream<S>) -> Option<()> {
        let mut content = Vec::new();
        loop {
            let begin = content.len();
            if stream.read_until(b'\n', &mut content).await.ok()? == 0 {
                return None;
            }
            if &content[begin..] == b".\r\n" {
                content.truncate(begin);
                self.heard.lock().unwrap().contents.push(content);
                return Some(());
            }
        }
    }
}

/// A certificate authority, and a next hop's certificate for `hub.test` and 127.0.0.1.
pub(super) fn certificates() -> (CertificateDer<'static>, TlsAcceptor) {
    let issued = Issued::new(&["hub.test", "127.0.0.1"], false);
    let acceptor = issued.acceptor(false);
    (issued.authority, acceptor)
}

/// A next hop's certificate, and the authority that issued it.
pub(super) struct Issued {
    pub(super) authority: CertificateDer<'static>,
    pub(super) certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Issued {
    /// A certificate for these names.
    pub(super) fn new(names: &[&str], is_expired: bool) -> Issued {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "An authority of tests");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut certificate = CertificateParams::new(names).unwrap();
        if is_expired {
            certificate.not_after = rcgen::date_time_ymd(2001, 1, 1);
        }
        let certificate = certificate.signed_by(&key, &authority).unwrap();
        Issued {
            authority: authority.der().clone(),
            certificate: certificate.der().clone(),
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        }
    }

    /// Shows the certificate, and that of the authority where it is `whole`.
    pub(super) fn acceptor(&self, whole: bool) -> TlsAcceptor {
        let authority = whole.then(|| self.authority.clone());
        let chain = std::iter::once(self.certificate.clone()).chain(authority).collect();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, self.key.clone_key())
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// Shows the certificate, and keeps what name it was asked for by.
    pub(super) fn noting_acceptor(&self, asked: &Arc<Mutex<Vec<String>>>) -> TlsAcceptor {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let shown = CertifiedKey::from_der(vec![self.certificate.clone()], self.key.clone_key(), &provider).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Asked { shown: Arc::new(shown), asked: Arc::clone(asked) }));
        TlsAcceptor::from(Arc::new(config))
    }
}

#[derive(Debug)]
struct Asked {
    shown: Arc<CertifiedKey>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ResolvesServerCert for Asked {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.asked.lock().unwrap().push(hello.server_name().unwrap_or_default().to_owned());
        Some(Arc::clone(&self.shown))
    }
}
