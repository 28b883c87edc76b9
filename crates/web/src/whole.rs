//! Whole messages on their way to whoever reads them: so many at once and no longer than a while, since each is in memory as
//! long as it takes.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::Frame;
use relay::service::Fault;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

use crate::shares::{Share, Shares};

/// Messages on their way at once, over all faces and accounts.
const PLACES: usize = 8;
/// How long a place is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a message may be on its way.
const TIME: Duration = Duration::from_secs(300);
/// Octets of a piece.
const PIECE_OCTETS: usize = 64 * 1024;

static ON_THEIR_WAY: Semaphore = Semaphore::const_new(PLACES);

/// Places of one account; of the operator's people together.
const PLACES_OF_ONE: u64 = 3;

static OF_ACCOUNTS: LazyLock<Arc<Shares<Option<u64>>>> = LazyLock::new(|| Shares::new(u64::MAX, PLACES_OF_ONE));

/// A place, given back when dropped.
pub(crate) struct Place {
    _permit: SemaphorePermit<'static>,
    _share: Share<Option<u64>>,
}

impl Place {
    /// A place, taken before the message is asked for.
    ///
    /// # Errors
    /// There is none for now, or the account has as many as it may; none: the operator's people.
    pub(crate) async fn take(account: Option<u64>) -> Result<Place, Fault> {
        let share = Shares::take(&OF_ACCOUNTS, account, 1).map_err(|_| Fault::read_by_many())?;
        match timeout(PATIENCE, ON_THEIR_WAY.acquire()).await {
            Ok(Ok(permit)) => Ok(Place { _permit: permit, _share: share }),
            _ => Err(Fault::read_by_many()),
        }
    }

    /// The body of an answer, which keeps the place until it has been taken, or its time is over.
    pub(crate) fn body(self, octets: Bytes) -> Body {
        Body::new(Whole { rest: octets, until: Instant::now() + TIME, _place: self })
    }
}

struct Whole {
    rest: Bytes,
    until: Instant,
    _place: Place,
}

impl hyper::body::Body for Whole {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        if Instant::now() > self.until {
            self.rest.clear();
            return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut))));
        }
        let piece = self.rest.len().min(PIECE_OCTETS);
        let piece = self.rest.split_to(piece);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    #[tokio::test(start_paused = true)]
    async fn a_place_is_kept_until_the_message_is_taken_or_its_time_is_over() {
        let octets = Bytes::from(vec![7; 3 * PIECE_OCTETS + 1]);
        let taken = Place::take(None).await.unwrap().body(octets.clone());
        assert_eq!(to_bytes(taken, usize::MAX).await.unwrap(), octets);
        let mut bodies = Vec::new();
        for number in 0..PLACES {
            let account = Some(number as u64 / PLACES_OF_ONE);
            bodies.push(Place::take(account).await.unwrap().body(octets.clone()));
        }
        assert!(Place::take(Some(9)).await.is_err(), "there is no further one");
        bodies.pop();
        assert!(Place::take(Some(0)).await.is_err(), "this account has as many as it may");
        assert!(Place::take(Some(9)).await.is_ok());
        tokio::time::advance(TIME + Duration::from_secs(1)).await;
        assert!(to_bytes(bodies.pop().unwrap(), usize::MAX).await.is_err(), "it broke off");
    }
}
