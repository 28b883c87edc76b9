//! The log: for people, or one JSON object on each line, on standard error.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use net::clock::{Clock, SystemClock};

use crate::config::Log;
use crate::moment;

struct Moment(SystemClock);

impl FormatTime for Moment {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        writer.write_str(&moment::text(self.0.now()))
    }
}

/// Starts to log. A second call changes nothing: the first one's choice stays.
pub fn start(log: &Log) {
    // libraries speak only when something is wrong, unless their words are wanted too
    let rooms = ["envoi", "net", "store", "relay", "message", "smtp", "web"];
    let others = if matches!(log.level.as_str(), "debug" | "trace") { log.level.as_str() } else { "warn" };
    let own: Vec<_> = rooms.iter().map(|room| format!("{room}={}", log.level)).collect();
    let filter = EnvFilter::new(format!("{others},{}", own.join(",")));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_timer(Moment(SystemClock::new()))
        .with_ansi(std::io::stderr().is_terminal());
    // an error says that a log runs already
    let _ = if log.json { builder.json().flatten_event(true).try_init() } else { builder.try_init() };
}
