//! Answers questions about the relay's zone, over UDP and TCP, and about nothing else.
//!
//! What the zone has is said by [`relay::zone`], from the directory as it is; `reply` makes messages of it. Over UDP
//! anybody may claim any address: nobody is sent more than so many answers, none is larger than one packet, and who is
//! past the rate is told to come over TCP, in as many octets as were sent. Questions over UDP are answered one after the
//! other, so that they hold nothing.

mod reply;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use relay::limits::Limits;
use relay::rate::Pace;
use relay::site::Site;
use relay::slots::Slots;
use relay::store::Book;
use relay::zone::Publisher;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use crate::clock::Clock;
use crate::listening;
use crate::shutdown::Shutdown;

use reply::Size;

/// The longest question that is read, octets: names have 255 at the most.
const QUESTION_OCTETS_MAX: usize = 4_096;
/// Questions of one connection.
const QUESTIONS_MAX: usize = 100;
/// How often another port is tried where a free one for UDP is taken for TCP.
const PORTS_TRIED: usize = 16;
/// The pause where a socket gives an error: it may go on doing so.
const PAUSE: Duration = Duration::from_millis(100);

/// The two sockets of one address.
pub struct Sockets {
    udp: UdpSocket,
    tcp: TcpListener,
    address: SocketAddr,
}

impl Sockets {
    /// Binds both to one port. Call within a tokio runtime.
    ///
    /// # Errors
    /// One of them cannot be had.
    pub fn bind(address: SocketAddr) -> io::Result<Sockets> {
        let mut tried = 0;
        loop {
            let udp = listening::udp(address)?;
            let bound = udp.local_addr()?;
            match listening::tcp(bound) {
                Ok((tcp, address)) => return Ok(Sockets { udp, tcp, address }),
                // any free port was wanted, and this one is free for UDP alone
                Err(_) if address.port() == 0 && tried < PORTS_TRIED => tried += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Where they listen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Who answers. Each question sees the directory as it is.
pub struct NameServer<S> {
    store: Arc<S>,
    publisher: Arc<Publisher>,
    clock: Arc<dyn Clock>,
    pace: Mutex<Pace<Site>>,
    /// Questions past the rate: every other of them is answered.
    hurried: AtomicU64,
    slots: Slots,
    connection: Duration,
}

impl<S: Book> NameServer<S> {
    /// One with the numbers of the limits (`zone_…`).
    pub fn new(store: Arc<S>, publisher: Arc<Publisher>, clock: Arc<dyn Clock>, limits: &Limits) -> Arc<Self> {
        let rate = limits.zone_queries_per_minute;
        Arc::new(NameServer {
            store,
            publisher,
            clock,
            pace: Mutex::new(Pace::new(rate, (rate / 20).max(1))),
            hurried: AtomicU64::new(0),
            slots: Slots::of_zone(limits),
            connection: Duration::from_secs(limits.zone_connection_seconds),
        })
    }

    /// Answers on these sockets until the stop.
    pub fn serve(self: &Arc<Self>, sockets: Sockets, shutdown: &Shutdown) {
        let Sockets { udp, tcp, .. } = sockets;
        shutdown.spawn(Arc::clone(self).serve_udp(udp, shutdown.clone()));
        shutdown.spawn(Arc::clone(self).serve_tcp(tcp, shutdown.clone()));
    }

    fn answer(&self, question: &[u8], size: Size) -> Option<Vec<u8>> {
        let now = self.clock.now();
        // seconds: it grows with each change, and nobody takes the zone over by it
        let serial = u32::try_from(now.0 / 1_000).unwrap_or(u32::MAX);
        reply::to(question, size, |name| self.publisher.held(&self.store.directory(), name, serial))
    }

    async fn serve_udp(self: Arc<Self>, socket: UdpSocket, shutdown: Shutdown) {
        let mut question = vec![0; QUESTION_OCTETS_MAX];
        loop {
            let received = tokio::select! {
                () = shutdown.begun() => return,
                received = socket.recv_from(&mut question) => received,
            };
            match received {
                // what has no room at once is lost, as UDP may be: nobody is waited for
                Ok((octets, peer)) => {
                    if let Some(answer) = self.answer_udp(&question[..octets], peer) {
                        let _ = socket.try_send_to(&answer, peer);
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "a question over UDP");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// The answer to a question over UDP, as far as its address may have one.
    fn answer_udp(&self, question: &[u8], peer: SocketAddr) -> Option<Vec<u8>> {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let is_in_time = pace.on(Site::of(peer.ip()), self.clock.now()).is_ok();
        drop(pace);
        if is_in_time {
            return self.answer(question, Size::Packet);
        }
        let is_told = self.hurried.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        if is_told { reply::come_again(question) } else { None }
    }

    async fn serve_tcp(self: Arc<Self>, listener: TcpListener, shutdown: Shutdown) {
        loop {
            let accepted = tokio::select! {
                () = shutdown.begun() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, peer)) = accepted else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let Ok(mut place) = self.slots.enter() else { continue };
            if place.locate(Site::of(peer.ip())).is_err() {
                continue;
            }
            let here = Arc::clone(&self);
            shutdown.spawn(async move {
                let _place = place;
                // whoever takes longer is cut
                let _ = tokio::time::timeout(here.connection, here.converse(stream)).await;
            });
        }
    }

    /// Answers one question after the other (RFC 7766).
    async fn converse(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        for _ in 0..QUESTIONS_MAX {
            let octets = usize::from(stream.read_u16().await?);
            if octets > QUESTION_OCTETS_MAX {
                return Ok(());
            }
            let mut question = vec![0; octets];
            stream.read_exact(&mut question).await?;
            let Some(answer) = self.answer(&question, Size::Stream) else { return Ok(()) };
            let Ok(length) = u16::try_from(answer.len()) else { return Ok(()) };
            stream.write_all(&[&length.to_be_bytes()[..], &answer].concat()).await?;
        }
        Ok(())
    }
}
