//! One recipient of Activity with all that is known of it: why, what happened when, the message and its session.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use relay::power::{Need, Power};
use relay::queue::OVER_HTTP;
use relay::report;
use relay::sandbox;
use relay::service::operation::Operation;
use relay::service::view::{ActivityDetailView, ActivityView, AttemptView, EventView, TriedHostView};

use super::encryption;
use super::row::{Address, delayed, no_subject, slug};
use super::vouched;
use crate::console::page::{Failure, Page, shown};
use crate::console::reasons::{self, Why};
use crate::console::visit::Visit;
use crate::console::words::Words;

/// One thing that happened.
pub(in crate::console) struct Happened {
    pub(in crate::console) icon: &'static str,
    /// The class of its dot.
    pub(in crate::console) class: &'static str,
    pub(in crate::console) title: String,
    pub(in crate::console) stamp: String,
    pub(in crate::console) time: String,
    /// Sentences about it.
    pub(in crate::console) told: Vec<String>,
    pub(in crate::console) quote: String,
    /// It was an attempt to deliver.
    pub(in crate::console) is_attempt: bool,
}

/// A step that has no moment of its own.
pub(in crate::console) fn step(icon: &'static str, class: &'static str, title: String, told: Vec<String>) -> Happened {
    let (stamp, time, quote) = (String::new(), String::new(), String::new());
    Happened { icon, class, title, stamp, time, told, quote, is_attempt: false }
}

#[derive(Template)]
#[template(path = "activity-detail.html")]
struct DetailPage {
    page: Page,
    detail: ActivityDetailView,
    recipient: Address,
    /// The message that stands where there is no subject.
    no_subject: &'static str,
    slug: &'static str,
    status: String,
    /// The class of the note that says why.
    note: &'static str,
    why: Why,
    times: String,
    octets: String,
    /// How long the submission took.
    took: String,
    happened: Vec<Happened>,
    /// The message in the test inbox, where it was taken there.
    taken: Option<String>,
    /// Whether the visitor may exclude the address.
    suppresses: bool,
}

/// How what happened is marked: icon and class of the dot.
fn mark(slug: &'static str) -> (&'static str, &'static str) {
    let class = match slug {
        "delivered" => "ok",
        "deferred" | "soft" => "warn",
        "hard" | "rejected" | "complaint" => "bad",
        _ => "info",
    };
    (slug, class)
}

fn note(slug: &str) -> &'static str {
    match slug {
        "delivered" => "ok",
        "hard" | "rejected" | "complaint" => "bad",
        "soft" => "warn",
        _ => "info",
    }
}

/// A server by its name and address, as far as they are known.
fn server(host: &str, remote: Option<&str>) -> String {
    match remote {
        Some(remote) if !host.is_empty() => format!("{host} ({remote})"),
        Some(remote) => remote.to_owned(),
        None => host.to_owned(),
    }
}

/// What came of another server that an attempt tried.
fn other(words: &Words, recipient: &str, tried: &TriedHostView) -> String {
    let server = server(&tried.host, tried.remote.as_deref());
    let (message, said) = match &tried.class {
        None => ("timeline-other-replied", tried.said.clone()),
        Some(class) => ("timeline-other-failed", reasons::of_failure(words, class, recipient, &tried.said).cause),
    };
    words.filled(message, &[("server", &server), ("said", &said)])
}

fn attempt(words: &Words, attempt: &AttemptView) -> String {
    if attempt.host == sandbox::HOST && attempt.remote.is_none() {
        return words.t("timeline-sandbox");
    }
    let server = server(&attempt.host, attempt.remote.as_deref());
    let took = words.number(attempt.milliseconds);
    let how = encryption::told(words, &attempt.tls);
    if let Some(source) = &attempt.source {
        let told =
            [("server", server.as_str()), ("how", how.as_str()), ("took", took.as_str()), ("source", source.as_str())];
        return words.filled("timeline-attempt-from", &told);
    }
    words.filled("timeline-attempt-how", &[("server", &server), ("how", &how), ("took", &took)])
}

/// The attempt of an event in which a server was asked. Mail that waits, for a site that is left alone or for a warm-up, goes on
/// as after an attempt, and is shown as what it is.
fn asked(event: &EventView) -> Option<&AttemptView> {
    event.attempt.as_ref().filter(|tried| !tried.host.is_empty() || tried.remote.is_some())
}

fn event(words: &Words, event: &EventView, detail: &ActivityDetailView, number: usize) -> Happened {
    let slug = slug(&event.status);
    let is_remark = report::is_remark(&event.reason);
    let (icon, class) = if is_remark { ("info", "info") } else { mark(slug) };
    let status = if is_remark { words.t("timeline-report") } else { words.t(&format!("status-{slug}")) };
    let (mut told, mut quote) = (Vec::new(), event.reply.clone());
    let title = match asked(event) {
        Some(tried) => {
            told.push(attempt(words, tried));
            told.extend(tried.others.iter().map(|tried| other(words, &detail.row.recipient, tried)));
            words.filled("timeline-attempt", &[("number", &words.number(number as u64)), ("status", &status)])
        }
        None => status,
    };
    let reason = if slug == "rejected" {
        reasons::of_row(words, &detail.row).cause
    } else {
        reasons::of_event(words, &detail.row.recipient, event).cause
    };
    told.push(reason);
    if slug == "accepted" {
        told.push(words.t("timeline-accepted"));
        if let (true, Some(message)) = (quote.is_empty(), &detail.row.message) {
            quote = format!("250 2.0.0 Ok: queued as {message}");
        }
    }
    if let Some(known) = &event.authentication {
        told.push(vouched::told(words, known));
    }
    if let Some(until) = &event.until {
        told.push(words.with("timeline-next", "when", words.moment(until)));
    }
    told.retain(|sentence| !sentence.is_empty());
    let (stamp, time) = (words.stamp(&event.at), words.moment(&event.at));
    Happened { icon, class, title, stamp, time, told, quote, is_attempt: asked(event).is_some() }
}

/// The connection of the application, or whoever handed the message in, which comes before all else.
fn session(words: &Words, detail: &ActivityDetailView) -> Option<Happened> {
    let remote = detail.remote.as_ref()?;
    let tls = detail.tls.as_deref().unwrap_or_default();
    let took = detail.submission_milliseconds.map(|took| words.with("timeline-took", "took", words.number(took)));
    if tls == OVER_HTTP {
        let who = words.person(detail.client_name.as_deref().unwrap_or_default());
        let mut told = vec![words.filled("timeline-handed-in-by", &[("who", &who), ("address", remote)])];
        told.extend(detail.user_name.as_ref().map(|user| words.with("timeline-sent-as", "user", user.as_str())));
        told.extend(took);
        return Some(step("connections", "", words.t("timeline-handed-in"), told));
    }
    let mut told = vec![words.filled("timeline-session", &[("address", remote), ("tls", tls)])];
    if let Some(name) = detail.client_name.as_deref().filter(|name| !name.is_empty()) {
        told.push(words.with("timeline-hello", "name", name));
    }
    if let Some(user) = &detail.user_name {
        told.push(words.with("timeline-user", "user", user.as_str()));
    }
    told.extend(took);
    Some(step("connections", "", words.t("timeline-connected"), told))
}

/// What happened, the oldest first.
pub(in crate::console) fn happened(words: &Words, detail: &ActivityDetailView) -> Vec<Happened> {
    let mut attempts = 0;
    let events = detail.events.iter().map(|what| {
        attempts += usize::from(asked(what).is_some());
        event(words, what, detail, attempts)
    });
    session(words, detail).into_iter().chain(events).collect()
}

/// Where it stands, in a sentence or two, and the class of the note that says so.
pub(in crate::console) fn in_brief(words: &Words, row: &ActivityView) -> (&'static str, Why) {
    let slug = slug(&row.status);
    let mut why = reasons::of_row(words, row);
    if slug == "delivered" {
        why.cause = words.t(if row.sandbox { "why-sandbox-more" } else { "why-delivered" });
    } else if why.cause.is_empty() {
        why.cause = words.t("why-waiting-more");
    }
    (note(slug), why)
}

pub(super) async fn page(Path(row): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let Ok(row) = row.parse() else { return Err(Failure::nowhere(visit.words().language)) };
    visit.account_number()?;
    let detail: ActivityDetailView = visit.ask(Operation::ActivityShow { row }).await?;
    let words = visit.words();
    let slug = slug(&detail.row.status);
    let (note, mut why) = in_brief(words, &detail.row);
    if let Some(delayed) = delayed(words, &detail.row, jiff::Timestamp::now()) {
        why.cause = format!("{} {delayed}", why.cause);
    }
    let times = if detail.row.count > 1 { words.count("why-times", detail.row.count) } else { String::new() };
    Ok(shown(&DetailPage {
        no_subject: no_subject(&detail.row),
        recipient: Address::new(&detail.row.recipient),
        slug,
        status: words.t(&format!("status-{slug}")),
        note,
        why,
        times,
        octets: detail.octets.map_or_else(String::new, |octets| words.count("activity-octets", octets)),
        took: detail
            .submission_milliseconds
            .map_or_else(String::new, |took| words.with("activity-took-milliseconds", "took", words.number(took))),
        happened: happened(words, &detail),
        taken: detail.row.message.clone().filter(|_| detail.row.sandbox && slug == "delivered"),
        suppresses: matches!(slug, "hard" | "complaint")
            && !detail.row.sandbox
            && visit.may(Need::Power(Power::Administration)),
        page: visit.page(),
        detail,
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use relay::language::Language;

    fn detail() -> ActivityDetailView {
        serde_json::from_value(serde_json::json!({
            "row": {
                "row": 1, "at": "2026-11-29T10:00:00Z", "updated_at": "2026-11-29T10:00:00Z", "status": "delivered",
                "recipient": "a@example.org", "sender": "", "subject": "", "message": "m", "account": 1, "user": null,
                "domain": null, "session": "s", "reason": "", "reply": "", "reference": "", "attempts": 1, "count": 1,
                "sandbox": false, "held": null, "last_attempt": null,
            },
            "events": [{
                "at": "2026-11-29T10:00:02Z", "status": "delivered", "class": null, "reason": "", "reply": "250 Ok",
                "until": null,
                "attempt": {
                    "at": "2026-11-29T10:00:01Z", "milliseconds": 900, "host": "mx2.example.org",
                    "remote": "192.0.2.2:25", "tls": "TLS 1.3", "source": null,
                    "others": [
                        {"host": "mx0.example.org", "remote": "192.0.2.1:25", "class": null, "said": "421 4.3.2 busy"},
                        {"host": "mx1.example.org", "remote": null, "class": "network", "said": "It broke (refused)."},
                    ],
                },
            }],
            "octets": null, "sha256": null, "delivered_sha256": null, "message_id": null, "priority": null,
            "remote": "192.0.2.7", "client_name": "", "tls": "TLS 1.3", "submission_milliseconds": 1250,
            "user_name": null,
        }))
        .unwrap()
    }

    fn told(language: Language) -> Vec<Vec<String>> {
        happened(&Words::new(language), &detail()).into_iter().map(|what| what.told).collect()
    }

    #[test]
    fn the_submission_says_how_long_it_took_and_the_attempt_what_each_server_said() {
        let english = told(Language::English);
        assert_eq!(english[0], ["From 192.0.2.7, TLS 1.3.", "Submitting the message took 1,250 ms."]);
        let network = relay::outcome::Class::Network;
        assert_eq!(
            english[1],
            [
                "mx2.example.org (192.0.2.2:25), TLS 1.3, 900 ms".to_owned(),
                "mx0.example.org (192.0.2.1:25) was tried as well and answered “421 4.3.2 busy”".to_owned(),
                format!("mx1.example.org was tried as well: {}", network.words(Language::English, "example.org")),
            ]
        );
        let french = told(Language::French);
        assert!(french[0][1].starts_with("La transmission du message a pris 1"), "{french:?}");
        assert!(french[1][1].contains("«\u{a0}421 4.3.2 busy\u{a0}»"), "{french:?}");
        assert!(french[1][2].ends_with(&network.words(Language::French, "example.org")), "{french:?}");
    }

    #[test]
    fn what_asked_no_server_is_no_attempt() {
        let mut detail = detail();
        let mut waited = detail.events[0].clone();
        waited.status = "deferred".into();
        waited.reason = "It waits.".into();
        let attempt = waited.attempt.as_mut().unwrap();
        (attempt.host, attempt.remote, attempt.others) = (String::new(), None, Vec::new());
        detail.events.insert(0, waited);
        let happened = happened(&Words::new(Language::English), &detail);
        let titles: Vec<_> = happened.iter().map(|what| (what.title.as_str(), what.is_attempt)).collect();
        let expected = [("The application connected", false), ("Deferred", false), ("Attempt 1: Delivered", true)];
        assert_eq!(titles, expected);
        assert_eq!(happened[1].told, ["It waits."]);
    }

    #[test]
    fn what_is_not_known_of_the_submission_is_not_said() {
        let earlier = ActivityDetailView { submission_milliseconds: None, ..detail() };
        let happened = happened(&Words::new(Language::English), &earlier);
        assert_eq!(happened[0].told, ["From 192.0.2.7, TLS 1.3."]);
    }
}
