//! Listeners of what is shown over HTTP: in the clear or under TLS; no peer holds more than it may.

mod forwarded;
mod patient;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use relay::limits::Limits;
use relay::site::Site;
use relay::slots::{Place, Slots};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tower::ServiceExt;

pub use forwarded::{Proxies, Scheme};
use patient::Patient;

/// How long it is waited after a socket could not be accepted: file descriptors may run out for a while.
const PAUSE: Duration = Duration::from_millis(100);
/// How long requests under way may go on when the relay stops.
const GRACE: Duration = Duration::from_secs(3);

/// Where a request comes from: in the extensions of each. Behind a proxy that is trusted, whoever asked that; the port is 0 then.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Whether what is said on the way can be read by others.
#[derive(Clone)]
pub enum Cover {
    /// In the clear, wherever it listens.
    Clear,
    /// TLS, except on loopback: there a proxy may stand before it.
    Tls(Arc<ServerConfig>),
}

/// One router on as many listeners as it likes, whose connections count together. Cheap to clone.
#[derive(Clone)]
pub struct Face {
    router: Router,
    cover: Cover,
    proxies: Proxies,
    slots: Slots,
    handshake: Duration,
    head: Duration,
    write: Duration,
}

impl Face {
    /// A face with the numbers of the limits (`web_…`).
    pub fn new(router: Router, cover: Cover, limits: &Limits) -> Face {
        Face {
            router,
            cover,
            proxies: Proxies::default(),
            slots: Slots::of_web(limits),
            handshake: Duration::from_secs(limits.web_handshake_seconds),
            head: Duration::from_secs(limits.web_head_seconds),
            write: Duration::from_secs(limits.web_write_seconds),
        }
    }

    /// The same behind proxies whose word is taken for who asks.
    #[must_use]
    pub fn behind(self, proxies: Proxies) -> Face {
        Face { proxies, ..self }
    }

    /// Answers on a listener until `stop` ends, then for as long as requests under way take, some seconds at most.
    ///
    /// # Errors
    /// The listener is none any more.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let acceptor = self.acceptor_at(listener.local_addr()?.ip());
        self.serve_with(listener, acceptor, stop).await;
        Ok(())
    }

    /// What is asked of whoever connects to this address of ours; none: it is spoken in the clear there.
    fn acceptor_at(&self, address: IpAddr) -> Option<TlsAcceptor> {
        match &self.cover {
            Cover::Tls(config) if !address.is_loopback() => Some(TlsAcceptor::from(Arc::clone(config))),
            _ => None,
        }
    }

    async fn serve_with(
        self,
        listener: TcpListener,
        acceptor: Option<TlsAcceptor>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) {
        let (face, graceful, mut conversations) = (Arc::new(self), GracefulShutdown::new(), JoinSet::new());
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                Some(_) = conversations.join_next() => continue,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, peer)) = accepted else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            // one too many is closed at once
            let Some(place) = face.place(peer.ip()) else { continue };
            let (face, acceptor, watcher) = (Arc::clone(&face), acceptor.clone(), graceful.watcher());
            conversations.spawn(async move {
                let _place = place;
                face.converse(stream, Peer(peer), acceptor, watcher).await;
            });
        }
        // who has not finished by then is cut, with the set of conversations
        let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    }

    /// Room for a connection, given back when dropped; none where there is none.
    fn place(&self, address: IpAddr) -> Option<Place> {
        let mut place = self.slots.enter().ok()?;
        // from this machine a proxy may speak for all, as one that is trusted does
        if !address.to_canonical().is_loopback() && !self.proxies.trusts(address) {
            place.locate(Site::of(address)).ok()?;
        }
        Some(place)
    }

    async fn converse<T>(&self, stream: T, peer: Peer, acceptor: Option<TlsAcceptor>, watcher: Watcher)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = Patient::new(stream, self.write);
        let Some(acceptor) = acceptor else { return self.answer(stream, peer, Scheme::Untold, watcher).await };
        if let Ok(Ok(stream)) = tokio::time::timeout(self.handshake, acceptor.accept(stream)).await {
            self.answer(stream, peer, Scheme::Https, watcher).await;
        }
    }

    /// Answers what comes as `scheme` says, unless a proxy that is trusted says otherwise.
    async fn answer<T>(&self, stream: T, peer: Peer, scheme: Scheme, watcher: Watcher)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (router, proxies) = (self.router.clone(), self.proxies.clone());
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let mut request: Request = request.map(Body::new);
            let (client, told) = proxies.client(peer, request.headers());
            request.extensions_mut().insert(client);
            request.extensions_mut().insert(if told == Scheme::Untold { scheme } else { told });
            router.clone().oneshot(request)
        });
        let mut connection = http1::Builder::new();
        connection.timer(TokioTimer::new()).header_read_timeout(self.head);
        let connection = connection.serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(peer = %peer.0, %error, "a connection ended badly");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use axum::Extension;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
    use tokio_rustls::rustls::{ClientConfig, RootCertStore};

    /// A server's certificate, and a client that trusts it.
    fn configurations() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let certificate = made.cert.der().clone();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let server = server.unwrap().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let client = client.with_root_certificates(roots).with_no_client_auth();
        (Arc::new(server), Arc::new(client))
    }

    fn router() -> Router {
        let told = |Extension(Peer(peer)): Extension<Peer>, Extension(scheme): Extension<Scheme>| async move {
            format!("{scheme:?} {peer}")
        };
        Router::new().route("/", get(told))
    }

    fn face(cover: Cover) -> Face {
        Face::new(router(), cover, &Limits::default())
    }

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

    #[tokio::test]
    async fn under_tls_a_silent_client_delays_nobody() {
        let (server, client) = configurations();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = Some(TlsAcceptor::from(server));
        tokio::spawn(face(Cover::Clear).serve_with(listener, acceptor, std::future::pending()));
        let _silent = TcpStream::connect(address).await.unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let own = stream.local_addr().unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(client).connect(name, stream).await.unwrap();
        stream.write_all(REQUEST).await.unwrap();
        let mut answer = Vec::new();
        // the end may come without a farewell of TLS
        let _ = stream.read_to_end(&mut answer).await;
        assert!(String::from_utf8_lossy(&answer).ends_with(&format!("Https {own}")));
    }

    #[tokio::test]
    async fn on_loopback_it_is_in_the_clear_and_ends_when_told() {
        let (server, _) = configurations();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let stop = async move { drop(ended.await) };
        let serving = tokio::spawn(face(Cover::Tls(server)).serve(listener, stop));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(REQUEST).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("Untold 127.0.0.1"), "{answer}");
        end.send(()).unwrap();
        serving.await.unwrap().unwrap();
    }

    #[test]
    fn nothing_is_spoken_in_the_clear_off_loopback() {
        let covered = face(Cover::Tls(configurations().0));
        for (address, is_clear) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("192.0.2.1", false),
            ("10.0.0.1", false),
            ("2001:db8::1", false),
            // of every address of the machine one is loopback, and the others are not
            ("0.0.0.0", false),
            ("::", false),
        ] {
            assert_eq!(covered.acceptor_at(address.parse().unwrap()).is_none(), is_clear, "{address}");
        }
    }

    #[test]
    fn room_is_bounded_and_given_back() {
        let (here, there): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let face = face(Cover::Clear);
        let held: Vec<_> = std::iter::from_fn(|| face.place(here)).collect();
        assert_eq!(held.len(), 100);
        assert!(face.place(there).is_some(), "others are let in");
        drop(held);
        assert_eq!(face.slots.connections(), 0);
        let face = face.behind(Proxies::new(&["192.0.2.1/32".parse().unwrap()]));
        let held: Vec<_> = (0..150).filter_map(|_| face.place(here)).collect();
        assert_eq!(held.len(), 150, "a proxy speaks for many");
        drop(held);
        let own = "::ffff:127.0.0.1".parse().unwrap();
        let held: Vec<_> = std::iter::from_fn(|| face.clone().place(own)).collect();
        assert_eq!(held.len(), 1_000, "a proxy on this machine speaks for all");
        assert!(face.place(there).is_none());
    }

    #[test]
    fn the_addresses_of_a_64_are_one() {
        let face = face(Cover::Clear);
        let held = |number: u32| face.place(format!("2001:db8::{number:x}").parse().unwrap());
        let held: Vec<_> = (0..200).filter_map(held).collect();
        assert_eq!(held.len(), 100);
        assert!(face.place("2001:db8:0:1::".parse().unwrap()).is_some());
    }

    /// Asks for much, twice, and takes nothing.
    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_no_answer_is_let_go() {
        let much = Router::new().route("/", get(|| async { "x".repeat(1 << 20) }));
        // as long as no other time-out is
        let face = Face::new(much, Cover::Clear, &Limits { web_write_seconds: 17, ..Limits::default() });
        let (near, mut far) = tokio::io::duplex(4096);
        far.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let begun = tokio::time::Instant::now();
        let peer = Peer("192.0.2.1:1".parse().unwrap());
        let graceful = GracefulShutdown::new();
        let conversation = face.converse(near, peer, None, graceful.watcher());
        tokio::time::timeout(Duration::from_secs(600), conversation).await.expect("it stays");
        assert_eq!(begun.elapsed().as_secs(), 17);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_says_nothing_is_let_go() {
        let (server, _) = configurations();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(face(Cover::Tls(server)).serve(listener, std::future::pending()));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let mut answer = Vec::new();
        // time goes on by itself as soon as everybody waits
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.is_empty());
    }
}
