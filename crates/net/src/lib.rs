//! Waits: submission, delivery, DNS, TLS and the clock.

pub mod clock;
pub mod dispatch;
pub mod dns;
pub mod key_watch;
pub mod outbound;
pub mod proxy;
pub mod seal;
pub mod shutdown;
pub mod submission;
pub mod tls;
