//! The keys of `[blocklists]`: lists in DNS that are asked about the relay's addresses and its domains.

use super::{Absent, Key, Kind, key};

/// In the order of the example.
pub(super) const KEYS: &[Key] = &[
    key(
        "blocklists",
        "addresses",
        Kind::Names,
        Absent::Nothing("none is asked"),
        r#"["bl.example.org"]"#,
        "The zones of lists of IP addresses (RFC 5782), asked about the addresses that mail comes from (`[zone] addresses`) once an hour: \
         your people get a mail when one is listed, and when it no longer is. Mind the terms of each list.",
    ),
    key(
        "blocklists",
        "domains",
        Kind::Names,
        Absent::Nothing("none is asked"),
        r#"["dbl.example.org"]"#,
        "The zones of lists of domain names, asked about a sending domain when somebody looks at its health, and about each once a day: its \
         account and your people get a mail when it is listed, and when it no longer is.",
    ),
];
