//! Hostile input: for each parser that octets of others reach, a check of what no octets may do.
//!
//! A check takes any octets and panics where the parser broke a promise. The fuzz targets (`fuzz/`) call it by the
//! million, and an ordinary test calls it with every kept seed (`fuzz/seeds`). It never ships, and no room knows it.

pub mod address;
pub mod admission;
pub mod bounces;
pub mod command;
pub mod config;
pub mod conversation;
pub mod dmarc_report;
pub mod framing;
pub mod letter;
pub mod mta_sts;
pub mod phrases;
pub mod proxy;
pub mod records;
pub mod reports;
pub mod segment;
pub mod session;
pub mod tls_report;
pub mod tlsa;

/// One check: panics where a promise is broken.
pub type Check = fn(&[u8]);

/// Every check by the name of its fuzz target.
pub const CHECKS: &[(&str, Check)] = &[
    ("address", address::check),
    ("admission", admission::check),
    ("bounces", bounces::check),
    ("command", command::check),
    ("config", config::check),
    ("conversation", conversation::check),
    ("dmarc_report", dmarc_report::check),
    ("framing", framing::check),
    ("letter", letter::check),
    ("mta_sts", mta_sts::check),
    ("proxy", proxy::check),
    ("records", records::check),
    ("reports", reports::check),
    ("segment", segment::check),
    ("session", session::check),
    ("tls_report", tls_report::check),
    ("tlsa", tlsa::check),
];
