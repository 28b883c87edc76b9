//! The keys of `[unsubscribe]`: where recipients say that they want no more.

use super::{Absent, Key, Kind, key};

/// In the order of the example.
pub(super) const KEYS: &[Key] = &[
    key(
        "unsubscribe",
        "listen",
        Kind::Sockets,
        Absent::Nothing("the console alone serves it"),
        r#"["0.0.0.0:443", "[::]:443"]"#,
        "Where that page is served, and nothing else: in the clear on loopback, under TLS with the relay's certificate everywhere \
         else. The console serves it, too: name an address where recipients do not reach that.",
    ),
    key(
        "unsubscribe",
        "url",
        Kind::Url,
        Absent::Nothing("the first address that it listens at, else where people find the console"),
        r#""https://mail.example.com""#,
        "Where recipients reach that page from the whole internet, beginning with https://. Links in mail are sent for good: keep \
         the name. Without such an address no message tells where to unsubscribe.",
    ),
];
