//! What the driver needs of the outbound side, so that a test can stand in for the internet.

use std::future::Future;

use relay::clock::Timestamp;
use relay::route::{Destination, Routes};

use crate::outbound::{Delivery, Dialer, Line, Outbound, Parcel};

/// Carries mail to its next hop.
pub trait Carrier: Send + Sync + 'static {
    /// An open conversation that may carry more.
    type Line: Send + 'static;

    /// The operator's routes.
    fn routes(&self) -> &Routes;

    /// The names of the mail servers of a destination, the most preferred first; none where that cannot be said now.
    fn hosts(&self, destination: &Destination) -> impl Future<Output = Option<Vec<String>>> + Send;

    /// Carries a parcel, over `line` where that is still good, and leaves there a line for the next one.
    /// What went wrong is a finding of each recipient that it concerns.
    fn deliver(
        &self,
        line: &mut Option<Self::Line>,
        destination: &Destination,
        parcel: &Parcel,
        at: Timestamp,
    ) -> impl Future<Output = Delivery> + Send;

    /// Says goodbye.
    fn close(&self, line: Self::Line) -> impl Future<Output = ()> + Send;
}

impl<D: Dialer> Carrier for Outbound<D> {
    type Line = Line<D::Stream>;

    fn routes(&self) -> &Routes {
        Outbound::routes(self)
    }

    fn hosts(&self, destination: &Destination) -> impl Future<Output = Option<Vec<String>>> + Send {
        Outbound::hosts(self, destination)
    }

    fn deliver(
        &self,
        line: &mut Option<Line<D::Stream>>,
        destination: &Destination,
        parcel: &Parcel,
        at: Timestamp,
    ) -> impl Future<Output = Delivery> + Send {
        Outbound::deliver(self, line, destination, parcel, at)
    }

    fn close(&self, line: Line<D::Stream>) -> impl Future<Output = ()> + Send {
        line.close()
    }
}
