//! What an order about the warm-up of a source leaves in the audit log.

use relay::audit::{About, Kind};
use relay::clock::Timestamp;
use relay::store::{Actor, AuditEntry};
use relay::warm_up::Order;

/// The line of an order.
pub(crate) fn warm_up_entry(source: &str, order: Order, by: &Actor, now: Timestamp) -> AuditEntry {
    let action = match order {
        Order::Stop => "source.warm_up_stop",
        Order::Start => "source.warm_up_start",
    };
    AuditEntry::new(now, by.clone(), action, About::named(Kind::Source, source.to_owned()), None)
}
