//! Waits: submission, delivery, DNS, TLS and the clock.

pub mod dispatch;
