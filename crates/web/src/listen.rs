//! Listeners of the API: in the clear on loopback, under TLS everywhere else; no peer holds more than it may.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tower::ServiceExt;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long the head of a request may take, from the end of the one before: a client that does nothing goes.
const HEAD: Duration = Duration::from_secs(30);
/// Connections at once.
const CONNECTIONS_MAX: usize = 1_000;
/// Connections at once from one address; on loopback, where a proxy may stand for all, there is no such bound.
const ADDRESS_CONNECTIONS_MAX: usize = 100;
/// How long it is waited after a socket could not be accepted: file descriptors may run out for a while.
const PAUSE: Duration = Duration::from_millis(100);
/// How long requests under way may go on when the relay stops.
const GRACE: Duration = Duration::from_secs(3);

/// Where a request comes from: in the extensions of each.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Answers on a listener until `stop` ends; under TLS unless it is on loopback.
///
/// # Errors
/// The listener is none any more.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let acceptor = if listener.local_addr()?.ip().is_loopback() { None } else { Some(TlsAcceptor::from(tls)) };
    serve_with(listener, acceptor, router, stop).await;
    Ok(())
}

async fn serve_with(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let (slots, graceful) = (Arc::new(Slots::new(acceptor.is_some())), GracefulShutdown::new());
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // one too many is closed at once
        let Some(slot) = Slots::take(&slots, peer.ip()) else { continue };
        let (acceptor, router, watcher) = (acceptor.clone(), router.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _slot = slot;
            converse(stream, Peer(peer), acceptor, router, watcher).await;
        });
    }
    // who has not finished by then is cut
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

async fn converse(stream: TcpStream, peer: Peer, acceptor: Option<TlsAcceptor>, router: Router, watcher: Watcher) {
    let Some(acceptor) = acceptor else { return answer(stream, peer, router, watcher).await };
    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        answer(stream, peer, router, watcher).await;
    }
}

async fn answer<T>(stream: T, peer: Peer, router: Router, watcher: Watcher)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request)
    });
    let mut connection = http1::Builder::new();
    connection.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let connection = connection.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(peer = %peer.0, %error, "a connection ended badly");
    }
}

/// How many connections there are, in all and from each address.
struct Slots {
    address_max: usize,
    taken: Mutex<(usize, HashMap<IpAddr, usize>)>,
}

impl Slots {
    fn new(has_address_max: bool) -> Slots {
        let address_max = if has_address_max { ADDRESS_CONNECTIONS_MAX } else { usize::MAX };
        Slots { address_max, taken: Mutex::default() }
    }

    /// Room for a connection, given back when dropped; none where there is none.
    fn take(slots: &Arc<Slots>, address: IpAddr) -> Option<Slot> {
        let mut taken = slots.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, addresses) = &mut *taken;
        let of_address = addresses.get(&address).copied().unwrap_or_default();
        if *all >= CONNECTIONS_MAX || of_address >= slots.address_max {
            return None;
        }
        *all += 1;
        addresses.insert(address, of_address + 1);
        Some(Slot { slots: Arc::clone(slots), address })
    }
}

struct Slot {
    slots: Arc<Slots>,
    address: IpAddr,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, addresses) = &mut *taken;
        *all -= 1;
        if let Some(count) = addresses.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&self.address);
            }
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
        Router::new().route("/", get(|Extension(Peer(peer)): Extension<Peer>| async move { peer.to_string() }))
    }

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

    #[tokio::test]
    async fn under_tls_a_silent_client_delays_nobody() {
        let (server, client) = configurations();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve_with(listener, Some(TlsAcceptor::from(server)), router(), std::future::pending()));
        let _silent = TcpStream::connect(address).await.unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let own = stream.local_addr().unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(client).connect(name, stream).await.unwrap();
        stream.write_all(REQUEST).await.unwrap();
        let mut answer = Vec::new();
        // the end may come without a farewell of TLS
        let _ = stream.read_to_end(&mut answer).await;
        assert!(String::from_utf8_lossy(&answer).ends_with(&own.to_string()));
    }

    #[tokio::test]
    async fn on_loopback_it_is_in_the_clear_and_ends_when_told() {
        let (server, _) = configurations();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let stop = async move { drop(ended.await) };
        let serving = tokio::spawn(serve(listener, server, router(), stop));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(REQUEST).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        end.send(()).unwrap();
        serving.await.unwrap().unwrap();
    }

    #[test]
    fn room_is_bounded_and_given_back() {
        let (here, there): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let slots = Arc::new(Slots::new(true));
        let held: Vec<_> = std::iter::from_fn(|| Slots::take(&slots, here)).collect();
        assert_eq!(held.len(), ADDRESS_CONNECTIONS_MAX);
        assert!(Slots::take(&slots, there).is_some(), "others are let in");
        drop(held);
        assert!(slots.taken.lock().unwrap().1.is_empty());
        let slots = Arc::new(Slots::new(false));
        let held: Vec<_> = std::iter::from_fn(|| Slots::take(&slots, here)).collect();
        assert_eq!(held.len(), CONNECTIONS_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_says_nothing_is_let_go() {
        let (server, _) = configurations();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, server, router(), std::future::pending()));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let mut answer = Vec::new();
        // time goes on by itself as soon as everybody waits
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.is_empty());
    }
}
