//! The keys of `[bounces]`: what other servers say when they do not deliver, at once or later.

use super::{Absent, Key, Kind, key, means};

/// In the order of the example.
pub(super) const KEYS: &[Key] = &[
    key(
        "bounces",
        "rules",
        Kind::Path,
        Absent::Nothing("the relay's rules alone"),
        r#""/etc/envoi/bounces.toml""#,
        "A file of rules (docs/operate/bounces.md), read at the start.",
    ),
    key(
        "bounces",
        "listen",
        Kind::Sockets,
        Absent::Nothing("no reports are taken"),
        r#"["0.0.0.0:25", "[::]:25"]"#,
        "Where other servers bring reports about mail that has left (docs/operate/reports.md). Nothing else is taken there. Other servers know port 25 alone.",
    ),
    key(
        "bounces",
        "return_path",
        Kind::Flag,
        means("true"),
        "true",
        "Whether mail goes out with an address of its own below the return-path host of its domain, once that was seen in DNS, so that reports find their way. Without `listen` it never does.",
    ),
    key(
        "bounces",
        "feedback",
        Kind::Mailbox,
        Absent::Nothing("complaints are taken at the addresses that mail went out with alone"),
        r#""fbl@relay.example.com""#,
        "An address where providers send complaints of their feedback loops; its mail server has to be the relay.",
    ),
];
