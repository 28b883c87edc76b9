//! Submission over real sockets and real TLS, against the model of the store.
#![allow(clippy::unwrap_used)]

mod abuse;
mod handed_in;
mod harness;
mod limits;
mod mail;
mod proxy;
mod repeats;
mod stopping;
mod tls;
