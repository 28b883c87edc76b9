//! Listening and accepting: never waits for a peer, and does not spin where the system has no room.

use relay::slots::Place;
use relay::store::Store;
use smtp::replies;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::net::{TcpListener, TcpStream};

use super::connection;
use super::house::House;

/// The pause where there are no file descriptors or memory left.
pub(crate) const EXHAUSTED_PAUSE: Duration = Duration::from_millis(200);

/// How often a lasting want of room is said.
const COMPLAINT_PERIOD: Duration = Duration::from_secs(60);

/// What a listener expects of its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    /// STARTTLS before anything of importance.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

impl Port {
    fn label(self) -> &'static str {
        match self {
            Port::StartTls => "starttls",
            Port::Tls => "tls",
        }
    }
}

/// Accepts until shutdown; each connection is a task of its own.
pub(super) async fn accept<S: Store>(house: Arc<House<S>>, listener: TcpListener, port: Port) {
    let mut complaints = Complaints::default();
    loop {
        let accepted = tokio::select! {
            biased;
            () = house.shutdown.begun() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match house.submission.slots().enter() {
                Ok(place) => admit(&house, stream, peer, port, place),
                Err(_) => {
                    if complaints.are_due() {
                        tracing::warn!("connections are refused: there are as many as the limit");
                    }
                    refuse(&house, stream, port);
                }
            },
            Err(error) if is_exhausted(&error) => {
                if complaints.are_due() {
                    tracing::error!(%error, "no connection can be accepted");
                }
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
            // the client was gone before we looked
            Err(error) => tracing::debug!(%error, "accept"),
        }
    }
}

fn admit<S: Store>(house: &Arc<House<S>>, stream: TcpStream, peer: SocketAddr, port: Port, place: Place) {
    house.metrics.on_connection(port.label());
    // replies are gathered already: waiting for more to send would only delay them
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    house.shutdown.spawn(connection::run(Arc::clone(house), stream, peer, port, place));
}

fn refuse<S: Store>(house: &House<S>, stream: TcpStream, port: Port) {
    house.metrics.on_connection(port.label());
    house.metrics.on_refusal(replies::sessions_total().reference.unwrap_or_default());
    if port == Port::StartTls {
        say_full(stream);
    }
}

/// Keeps a lasting want from filling the log.
#[derive(Default)]
struct Complaints(Option<Instant>);

impl Complaints {
    fn are_due(&mut self) -> bool {
        let due = self.0.is_none_or(|last| last.elapsed() >= COMPLAINT_PERIOD);
        if due {
            self.0 = Some(Instant::now());
        }
        due
    }
}

/// Says why, if the socket takes it at once: there is no room to wait.
pub(crate) fn say_full(stream: TcpStream) {
    let mut line = BytesMut::new();
    replies::sessions_total().render(&mut line);
    if let Ok(mut stream) = stream.into_std()
        && let Err(error) = stream.write(&line)
    {
        tracing::debug!(%error, "a refused connection took no reply");
    }
}

pub(crate) fn is_exhausted(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_a_want_of_resources_pauses_the_listener() {
        for number in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM] {
            assert!(is_exhausted(&io::Error::from_raw_os_error(number)));
        }
        for number in [libc::ECONNABORTED, libc::EPROTO, libc::EINTR] {
            assert!(!is_exhausted(&io::Error::from_raw_os_error(number)));
        }
    }

    #[test]
    fn a_complaint_is_not_repeated_at_once() {
        let mut complaints = Complaints::default();
        assert_eq!([complaints.are_due(), complaints.are_due()], [true, false]);
    }
}
