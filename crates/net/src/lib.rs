//! Waits: submission, delivery, DNS, TLS and the clock.

pub mod acme;
pub mod blocklists;
pub mod clock;
pub mod dispatch;
pub mod dns;
pub mod domain_watch;
mod https;
pub mod inbound;
pub mod kept_file;
mod listening;
pub mod mta_sts;
pub mod offload;
pub mod outbound;
pub mod own_mail;
pub mod proxy;
mod reach;
pub mod seal;
pub mod shutdown;
pub mod submission;
pub mod tls;
pub mod tls_reports;
mod turns;
pub mod webhook;
pub mod zone;
