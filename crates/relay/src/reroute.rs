//! Mail of the queue that the operator has sent another way: meant by what it has in common, as long as it waits. Kept as the few
//! orders that they are, and applied where a start loads the queue, so that it costs a waiting recipient nothing.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::queue::Envelope;
use crate::selection::Filter;
use crate::store::QueueEntry;

/// Orders that are kept at once.
pub const REROUTES_MAX: usize = 100;

/// How recipients go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", content = "route", rename_all = "snake_case")]
pub enum Via {
    /// As the routes say: orders of before are undone.
    Usual,
    /// By the mail servers of their domain, whatever the routes say.
    Mx,
    /// By the route to this next hop, named `host:port`; as the routes say where that is gone.
    Route(String),
}

/// One order, about what was accepted before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reroute {
    /// Which recipients; it has an end.
    pub filter: Filter,
    /// How they go.
    pub via: Via,
}

impl Reroute {
    /// Whether nothing can be left of what it means: all that waits was accepted since.
    pub fn is_over(&self, oldest: Option<Timestamp>) -> bool {
        let until = self.filter.until;
        oldest.is_none_or(|oldest| until.is_some_and(|until| until <= oldest))
    }

    /// Whether an earlier order has no say any more beside this one: it means nothing that this one does not mean, and the
    /// last one counts. So it is with each turn of an order for a large part, and with an order that is changed.
    pub fn supersedes(&self, earlier: &Reroute) -> bool {
        let until = |one: &Reroute| one.filter.until.unwrap_or(Timestamp(u64::MAX));
        let but_for_until = |one: &Reroute| Filter { until: None, ..one.filter.clone() };
        until(self) >= until(earlier) && but_for_until(self) == but_for_until(earlier)
    }
}

/// Whether the envelope of a message has to be read to know how its recipients go.
pub fn needs_envelope(reroutes: &[Reroute], entry: &QueueEntry) -> bool {
    let may_mean = |reroute: &Reroute| !reroute.filter.of_entry(entry, |_| true).is_empty();
    reroutes.iter().any(|reroute| reroute.filter.needs_envelope() && may_mean(reroute))
}

/// How those recipients of a waiting message go that an order means; the last one counts.
pub fn ways<'a>(reroutes: &'a [Reroute], entry: &QueueEntry, envelope: Option<&Envelope>) -> Vec<(u16, &'a Via)> {
    let mut ways: Vec<(u16, &Via)> = Vec::new();
    for Reroute { filter, via } in reroutes.iter().rev() {
        let mut meant = filter.of_entry(entry, |_| true);
        if filter.needs_envelope() {
            meant = envelope.map(|envelope| filter.of_envelope(envelope, meant)).unwrap_or_default();
        }
        for number in meant {
            if ways.iter().all(|(known, _)| *known != number) {
                ways.push((number, via));
            }
        }
    }
    ways
}

/// How one recipient of a message goes, where an order means it.
pub fn way<'a>(reroutes: &'a [Reroute], envelope: &Envelope, recipient: u16) -> Option<&'a Via> {
    let newest_first = reroutes.iter().rev();
    newest_first.filter(|reroute| reroute.filter.is_of(envelope, recipient)).map(|reroute| &reroute.via).next()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::id::{Id, MessageId};
    use crate::queue::RecipientState;
    use crate::selection::Whom;
    use std::sync::Arc;

    fn entry() -> QueueEntry {
        let waiting = RecipientState::Waiting { due: Timestamp(9), attempts: 1 };
        QueueEntry {
            message: MessageId(1),
            account: Id::new(3),
            domain: Some(Id::new(4)),
            accepted_at: Timestamp(1_000),
            class: crate::priority::Class::Normal,
            waives_tls: false,
            recipients: vec![(0, Arc::from("one.example"), waiting.clone()), (1, Arc::from("two.example"), waiting)],
        }
    }

    fn reroute(to: Option<&str>, until: u64, via: Via) -> Reroute {
        let recipient = to.map(|to| Whom::parse(to).unwrap());
        Reroute { filter: Filter { recipient, until: Some(Timestamp(until)), ..Filter::default() }, via }
    }

    #[test]
    fn the_last_order_counts_and_what_came_later_is_not_meant() {
        let hub = Via::Route("hub.example.net:25".into());
        let all = [reroute(None, 2_000, hub.clone()), reroute(Some("@two.example"), 2_000, Via::Usual)];
        assert_eq!(ways(&all, &entry(), None), [(1, &Via::Usual), (0, &hub)]);
        assert!(ways(&[reroute(None, 1_000, Via::Mx)], &entry(), None).is_empty());
        assert!(!needs_envelope(&all, &entry()));
        assert!(needs_envelope(&[reroute(Some("a@one.example"), 2_000, Via::Mx)], &entry()));
        assert!(!needs_envelope(&[reroute(Some("a@three.example"), 2_000, Via::Mx)], &entry()));
    }

    #[test]
    fn an_order_is_over_once_all_that_waits_came_later() {
        let order = reroute(None, 2_000, Via::Mx);
        assert!(order.is_over(None) && order.is_over(Some(Timestamp(2_000))));
        assert!(!order.is_over(Some(Timestamp(1_999))));
    }

    #[test]
    fn an_order_has_no_say_beside_a_later_one_of_all_that_it_means() {
        let order = reroute(Some("@one.example"), 2_000, Via::Mx);
        for later in [reroute(Some("@one.example"), 2_000, Via::Mx), reroute(Some("@one.example"), 3_000, Via::Usual)] {
            assert!(later.supersedes(&order));
        }
        for other in [reroute(Some("@one.example"), 1_999, Via::Mx), reroute(Some("@two.example"), 3_000, Via::Mx)] {
            assert!(!other.supersedes(&order));
        }
    }
}
