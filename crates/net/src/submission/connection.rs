//! A connection from accept to greeting: who really called, whether it is let in, TLS where it comes first.

use relay::clock::Timestamp;
use relay::id::SessionId;
use relay::slots::Place;
use relay::store::Store;
use relay::submission::{TlsTrouble, Visit};
use smtp::server::{About, Security, Session as Machine, When};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::SemaphorePermit;
use tracing::Instrument;

use super::house::House;
use super::listener::Port;
use super::metrics::Open;
use super::session::Session;
use super::stream::{HandshakeError, Stream, Transport, handshake};
use crate::proxy;

/// One connection, from accept to its end.
pub(super) async fn run<S: Store>(house: Arc<House<S>>, stream: TcpStream, peer: SocketAddr, port: Port, place: Place) {
    let session = SessionId::new(house.clock.now(), (house.dice)().as_mut());
    let span = tracing::info_span!("session", id = %session);
    let visit = async {
        tokio::select! {
            biased;
            () = house.out_of_time.cancelled() => {}
            () = serve(&house, session, stream, peer, port, place) => {}
        }
    };
    visit.instrument(span).await;
}

async fn serve<S: Store>(
    house: &Arc<House<S>>,
    session: SessionId,
    stream: TcpStream,
    peer: SocketAddr,
    port: Port,
    place: Place,
) {
    // on the heap, and gone when it is done: what a session holds while it is idle is all that there is a thousand of
    let arrived = Box::pin(arrive(house, session, stream, peer, port, place)).await;
    if let Some((session, stream, _counted)) = arrived {
        session.run(stream).await;
    }
}

/// A session that may begin, its stream, and what is held until it ends.
type Arrived<'a, S> = (Box<Session<S>>, Stream<TcpStream>, (Open, Option<SemaphorePermit<'a>>));

/// Until the greeting may be said; none where the connection is over.
async fn arrive<S: Store>(
    house: &Arc<House<S>>,
    session: SessionId,
    mut stream: TcpStream,
    peer: SocketAddr,
    port: Port,
    place: Place,
) -> Option<Arrived<'_, S>> {
    let remote = origin(house, &mut stream, peer).await?;
    let open = house.metrics.session();
    let mut visit = Visit::new(session, remote, place);
    tracing::debug!(%remote, ?port, "connected");
    let now = house.clock.now();
    let refusal = house.submission.greet(&mut visit, now).err();
    let mut room = None;
    if let Some(reply) = &refusal {
        room = house.refused.try_acquire().ok();
        if room.is_none() || (port == Port::Tls && !house.submission.is_worth_a_reply(&visit, now)) {
            house.metrics.on_drop("refused-too-fast");
            let directory = house.store.directory();
            house.note(visit.on_reply(&house.submission, &directory, reply, &About::Session, now));
            return None;
        }
    }
    let (stream, security) = match port {
        Port::StartTls => (Stream::Clear(stream), Security::Clear),
        Port::Tls => (secure(house, &mut visit, stream).await?, Security::Tls),
    };
    let mut machine = Machine::new(house.session.clone(), security);
    if let Some(reply) = refusal {
        machine.end(reply, When::Now);
    }
    Some((Box::new(Session::new(Arc::clone(house), machine, visit)), stream, (open, room)))
}

/// The address that the connection really comes from; none where it has to be dropped.
async fn origin<S: Store>(house: &House<S>, stream: &mut TcpStream, peer: SocketAddr) -> Option<IpAddr> {
    let balancer = peer.ip().to_canonical();
    if !house.proxies.iter().any(|network| network.contains(&balancer)) {
        return Some(balancer);
    }
    let patience = Duration::from_secs(house.limits.proxy_seconds);
    let read = tokio::select! {
        () = house.shutdown.begun() => return None,
        read = tokio::time::timeout(patience, proxy::read(stream)) => read,
    };
    let reason = match read {
        Ok(Ok(address)) => return Some(address.unwrap_or(balancer)),
        Ok(Err(error)) => error.to_string(),
        Err(_) => String::from("it did not come in time"),
    };
    house.metrics.on_drop("proxy-header");
    tracing::warn!(%balancer, %reason, "connection without a usable PROXY header dropped");
    None
}

/// The TLS handshake; what went wrong is noted. None where the connection is over.
pub(super) async fn secure<S: Store, T: Transport>(
    house: &House<S>,
    visit: &mut Visit,
    stream: T,
) -> Option<Stream<T>> {
    let patience = Duration::from_secs(house.limits.handshake_seconds);
    let handshake = tokio::select! {
        () = house.shutdown.begun() => return None,
        handshake = handshake(&house.acceptor, stream, patience) => handshake,
    };
    match handshake {
        Ok((stream, version)) => {
            visit.on_tls(version);
            tracing::debug!(version, "TLS");
            Some(stream)
        }
        Err(HandshakeError::TimeOut) => {
            house.metrics.on_tls_failure("time-out");
            tracing::info!("no TLS handshake in time");
            None
        }
        Err(HandshakeError::Gone(error)) => {
            house.metrics.on_tls_failure("gone");
            tracing::debug!(%error, "gone before the end of the TLS handshake");
            None
        }
        Err(HandshakeError::Tls(trouble)) => {
            note_trouble(house, visit, &trouble, house.clock.now());
            None
        }
    }
}

fn note_trouble<S: Store>(house: &House<S>, visit: &mut Visit, trouble: &TlsTrouble, now: Timestamp) {
    house.metrics.on_tls_failure(match trouble {
        TlsTrouble::Old => "old",
        TlsTrouble::Distrust(_) => "distrusted",
        TlsTrouble::Other(_) => "failed",
    });
    tracing::info!(?trouble, "TLS handshake failed");
    let notice = visit.on_tls_trouble(&house.submission, &house.store.directory(), trouble, now);
    house.note(vec![notice]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::embedded::Embedded;

    /// Octets of the task that this makes.
    fn octets<F>(_: impl Fn(Arc<House<Embedded>>, TcpStream, SocketAddr, Port, Place) -> F) -> usize {
        std::mem::size_of::<F>()
    }

    #[test]
    fn what_an_idle_session_holds_is_little() {
        // an async function holds its arguments in each frame that hands them on: what is large is seen here at once
        let (task, session) = (octets(run), std::mem::size_of::<Session<Embedded>>());
        assert!(task <= 1_800 && session <= 1_900, "the task {task} octets, the session {session}");
    }
}
