//! The keys of `[tls_reports]`: reports on TLS to the domains that mail goes to.

use super::{Absent, Key, Kind, key};

/// In the order of the example.
pub(super) const KEYS: &[Key] = &[
    key(
        "tls_reports",
        "contact",
        Kind::Mailbox,
        Absent::Nothing("nothing is counted and no reports are sent"),
        r#""postmaster@relay.example.com""#,
        "The address for questions about reports. With it the relay counts how TLS goes with other mail servers, and reports daily to the \
         domains that publish where they want it (TLS-RPT, RFC 8460): over HTTPS, or by mail as `[mail] from`.",
    ),
    key(
        "tls_reports",
        "organization",
        Kind::Name,
        Absent::Nothing("the relay's hostname"),
        r#""Example Inc.""#,
        "What you are called in these reports.",
    ),
];
