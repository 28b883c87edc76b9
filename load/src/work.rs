//! The named work, and what each of it is made of.

use clap::ValueEnum;
use serde::Serialize;

/// How a session comes under TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Port {
    /// TLS from the first octet (465).
    Tls,
    /// In clear, then STARTTLS (587).
    Starttls,
}

/// What the clients do.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Work {
    /// What it is called.
    pub(crate) name: String,
    pub(crate) port: Port,
    /// Sessions at once.
    pub(crate) sessions: usize,
    /// Messages in all. None: sessions that log in and stay idle.
    pub(crate) messages: usize,
    /// Messages on one connection.
    pub(crate) per_connection: usize,
    /// Octets of a message, its header included.
    pub(crate) octets: usize,
    /// Recipients of each message, all in one domain.
    pub(crate) recipients: usize,
    /// Whether commands are sent without waiting for the reply of the one before.
    pub(crate) pipelining: bool,
    /// Whether a session's further connections resume its TLS session.
    pub(crate) resumption: bool,
    /// Messages a second, evenly; none: as fast as it goes.
    pub(crate) rate: Option<f64>,
    /// What the next hop does.
    pub(crate) hop: Hop,
    /// Whether the relay signs with DKIM.
    pub(crate) signed: bool,
    /// Rows of activity that are there before.
    pub(crate) rows: u64,
}

/// How the next hop behaves.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Hop {
    /// Milliseconds before its reply to the content.
    pub(crate) delay_milliseconds: u64,
    /// Of a hundred messages, so many are answered 451.
    pub(crate) deferred_percent: u64,
    /// Of a hundred messages, so many are answered 550.
    pub(crate) bounced_percent: u64,
}

const KILO: usize = 1000;

/// One line of the table of named work.
struct Line {
    name: &'static str,
    port: Port,
    sessions: usize,
    per_connection: usize,
    octets: usize,
    recipients: usize,
    messages: usize,
}

const fn line(
    name: &'static str,
    port: Port,
    sessions: usize,
    per_connection: usize,
    octets: usize,
    recipients: usize,
    messages: usize,
) -> Line {
    Line { name, port, sessions, per_connection, octets, recipients, messages }
}

#[rustfmt::skip]
const NAMED: &[Line] = &[
    //    name   port            sessions  per connection  octets       recipients  messages
    line("W1",  Port::Tls,        20,        1,   10 * KILO,         1,  6_000),
    line("W2",  Port::Tls,        20,      100,   10 * KILO,         1, 20_000),
    line("W3",  Port::Starttls,  100,        1,   10 * KILO,         1,  6_000),
    line("W4",  Port::Tls,        10,       10, 1000 * KILO,         1,  1_000),
    line("W5",  Port::Tls,        10,       20,   10 * KILO,        50,  2_000),
    line("W6",  Port::Tls,      1000,        0,   10 * KILO,         1,      0),
    line("W7",  Port::Tls,        20,      100,   10 * KILO,         1, 10_000),
    line("W8",  Port::Tls,        20,      100,   10 * KILO,         1,  4_000),
];

/// What is measured where all is: every work of clients, and two of them with a long history.
pub(crate) fn names() -> Vec<&'static str> {
    NAMED.iter().map(|line| line.name).chain(["W2-10M", "W5-10M"]).collect()
}

/// The work with this name: `W2`, or `W2-10M` with ten million rows of activity there before. Not W9, which is no work
/// of clients but a start.
pub(crate) fn named(name: &str) -> Option<Work> {
    let (base, rows) = match name.strip_suffix("-10M") {
        Some(base) => (base, 10_000_000),
        None => (name, 0),
    };
    let line = NAMED.iter().find(|line| line.name.eq_ignore_ascii_case(base))?;
    Some(Work {
        name: name.to_uppercase(),
        port: line.port,
        sessions: line.sessions,
        messages: line.messages,
        per_connection: line.per_connection,
        octets: line.octets,
        recipients: line.recipients,
        pipelining: false,
        resumption: false,
        rate: None,
        hop: Hop { delay_milliseconds: if line.name == "W8" { 200 } else { 0 }, ..Hop::default() },
        signed: line.name == "W7",
        rows,
    })
}

#[cfg(test)]
mod tests {
    use super::{Port, named, names};

    #[test]
    fn every_name_is_found_as_it_is_defined() {
        assert_eq!(names().len(), 10);
        for name in names() {
            let work = named(name).unwrap();
            assert_eq!(work.name, name);
            assert!(work.messages.is_multiple_of(work.per_connection.max(1)), "{name} ends with half a connection");
        }
        let work = named("w3").unwrap();
        assert_eq!((work.port, work.sessions, work.per_connection), (Port::Starttls, 100, 1));
        assert!(named("W7").unwrap().signed);
        assert_eq!(named("W8").unwrap().hop.delay_milliseconds, 200);
        assert_eq!(named("W2-10M").unwrap().rows, 10_000_000);
        assert!(named("W10").is_none());
    }
}
