//! The hops that an attempt found no way through: the most hopeful of them decides where none is left, the others are shown
//! beside the one that the attempt is shown with.

use relay::outcome::{self, Failure, Finding};
use relay::queue::TriedHost;
use std::net::SocketAddr;

/// A hop that failed, and how.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    pub(super) host: String,
    pub(super) remote: Option<SocketAddr>,
    pub(super) tls: String,
    pub(super) finding: Finding,
}

impl Tried {
    /// Where there was none to try.
    pub(super) fn nowhere() -> Tried {
        let why = "there is no address that can be dialled from here".to_owned();
        Tried::without_hop(Finding::Failed(Failure::Connect(why)))
    }

    /// A finding before any hop was known.
    pub(super) fn without_hop(finding: Finding) -> Tried {
        Tried { host: String::new(), remote: None, tls: "none".into(), finding }
    }
}

/// The place of the most hopeful: one that may pass goes before one that will not, so that mail does not bounce while another
/// host might still take it; of two alike the one that was tried first.
pub(super) fn most_hopeful(tried: &[Tried]) -> Option<usize> {
    let hopes = tried.iter().map(|tried| hope(&tried.finding)).enumerate();
    hopes.rev().max_by_key(|(_, hope)| *hope).map(|(place, _)| place)
}

/// What is shown of them, of an attempt to reach a recipient at `domain`: the first ones, `max` at the most.
pub(super) fn shown(tried: &[Tried], domain: &str, max: usize) -> Vec<TriedHost> {
    let one = |tried: &Tried| outcome::tried(&tried.host, tried.remote, &tried.finding, domain);
    tried.iter().take(max).map(one).collect()
}

fn hope(finding: &Finding) -> u8 {
    match finding {
        Finding::Replied(_, reply) if reply.is_permanent() => 2,
        Finding::Replied(..) => 9,
        Finding::Failed(failure) => match failure {
            Failure::Tls(_) | Failure::SenderTls(_) | Failure::Login(_) => 8,
            Failure::Protocol(_) => 7,
            Failure::Lost(_) => 6,
            Failure::Connect(_) => 5,
            Failure::Source(_) => 4,
            Failure::Dns(_) => 3,
            Failure::ForbiddenAddress(_) => 1,
            _ => 0,
        },
    }
}
