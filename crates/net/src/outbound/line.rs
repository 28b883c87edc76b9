//! A line: an open conversation with a next hop, kept for further mail to the same destination.

use relay::route::Destination;

/// An open conversation with a next hop.
pub struct Line {
    destination: Destination,
}

impl Line {
    /// Where it leads.
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Whether a further parcel may go over it: young, not idle for too long, not used too often,
    /// and nothing heard from the other end since. Looks without waiting.
    pub fn is_fresh(&mut self) -> bool {
        false
    }

    /// Says QUIT and hangs up, waiting a few seconds at most for the other end.
    pub async fn close(self) {}
}
