//! The page that helps whoever pastes the settings into an application: ports, limits, what each refusal means.

use askama::Template;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use relay::limits::Limits;

use super::connect::Connection;
use super::page::{Failure, Page, shown};
use super::visit::Visit;
use super::words::Words;
use super::{For, Route, show};

const MIB: u64 = 1024 * 1024;

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![show("/help", For::Visitors, page), show("/demonstration/ca.pem", For::Visitors, authority)]
}

/// The limits in force, as sentences.
pub(super) struct Numbers {
    pub(super) recipients: String,
    pub(super) size: String,
    pub(super) messages: String,
    pub(super) sessions: String,
    pub(super) failures: String,
}

/// A size as people say it: whole megabytes, or kilobytes below one.
fn size(words: &Words, octets: u64) -> String {
    if octets >= MIB {
        words.with("size-megabytes", "number", words.number(octets / MIB))
    } else {
        words.with("size-kilobytes", "number", words.number(octets / 1024))
    }
}

impl Numbers {
    /// In the words of a reader.
    pub(super) fn of(words: &Words, limits: &Limits) -> Numbers {
        let number = |number: u64| words.number(number);
        let minutes = |seconds: u64| number(seconds.div_ceil(60));
        let filled = |id: &str, values: &[(&str, String)]| {
            words.filled(id, &values.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>())
        };
        let octets = limits.message_octets_max;
        Numbers {
            recipients: words.count("limit-recipients", limits.recipients_max),
            size: filled(
                "limit-size",
                // a file grows by a third on its way into a mail
                &[("size", size(words, octets)), ("octets", number(octets)), ("files", size(words, octets / 4 * 3))],
            ),
            messages: words.count("limit-messages", limits.messages_max),
            sessions: filled(
                "limit-sessions",
                &[("user", number(limits.user_sessions_max)), ("account", number(limits.account_sessions_max))],
            ),
            failures: filled(
                "limit-failures",
                &[
                    ("pairs", number(limits.login_pairs_max)),
                    ("failures", number(limits.login_failures_max)),
                    ("window", minutes(limits.login_window_seconds)),
                    ("minutes", minutes(limits.block_seconds_min)),
                ],
            ),
        }
    }
}

/// One thing that goes wrong.
struct Trouble {
    codes: &'static str,
    seen: String,
    means: String,
    remedy: String,
}

/// The reply's codes, and the beginning of the names of its messages.
const TROUBLES: [(&str, &str); 9] = [
    ("535 5.7.8", "help-login"),
    ("525 5.7.13", "help-stopped"),
    ("530 5.7.0", "help-clear"),
    ("538 5.7.11", "help-early"),
    ("550 5.7.1", "help-sender"),
    ("421 4.7.0", "help-blocked"),
    ("452 4.5.3", "help-recipients"),
    ("452 4.7.1", "help-quota"),
    ("552 5.3.4", "help-large"),
];

impl Trouble {
    fn new(words: &Words, limits: &Limits, codes: &'static str, about: &str) -> Trouble {
        let means = match about {
            "help-recipients" => words.count("help-recipients-means", limits.recipients_max),
            "help-large" => words.with("help-large-means", "size", size(words, limits.message_octets_max)),
            about => words.t(&format!("{about}-means")),
        };
        let seen = if matches!(about, "help-login" | "help-sender" | "help-blocked") {
            words.t(&format!("{about}-seen"))
        } else {
            String::new()
        };
        Trouble { codes, seen, means, remedy: words.t(&format!("{about}-do")) }
    }
}

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage {
    page: Page,
    connection: Connection,
    numbers: Numbers,
    troubles: Vec<Trouble>,
}

async fn page(visit: Visit) -> Response {
    let (words, settings) = (visit.words(), &visit.console.settings);
    let troubles = TROUBLES.iter().map(|(codes, about)| Trouble::new(words, &settings.limits, codes, about));
    shown(&HelpPage {
        page: visit.page(),
        connection: Connection::new(&settings.hostname, &settings.ports),
        numbers: Numbers::of(words, &settings.limits),
        troubles: troubles.collect(),
    })
}

/// The certificate of a demonstration's authority, for applications to trust.
async fn authority(visit: Visit) -> Result<Response, Failure> {
    let demonstration = visit.console.settings.demonstration.as_ref().ok_or_else(|| visit.nothing())?;
    Ok(([(header::CONTENT_TYPE, "application/x-pem-file")], demonstration.pem.clone()).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay::language::Language;

    #[test]
    fn the_limits_in_force_are_told() {
        let numbers = Numbers::of(&Words::new(Language::English), &Limits::default());
        assert!(numbers.recipients.contains("50") && numbers.messages.contains("1,000"));
        assert!(numbers.size.contains("20 MB") && numbers.size.contains("15 MB"), "{}", numbers.size);
        assert!(numbers.failures.contains("15 minutes"), "{}", numbers.failures);
        let moved = Limits { recipients_max: 100, message_octets_max: 40 * MIB, ..Limits::default() };
        let numbers = Numbers::of(&Words::new(Language::French), &moved);
        assert!(numbers.recipients.contains("100") && numbers.size.contains("40\u{a0}Mo"), "{}", numbers.size);
    }
}
