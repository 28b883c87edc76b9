//! One recipient of Activity with all that is known of it: why, what happened when, the message and its session.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use relay::power::{Need, Power};
use relay::queue::OVER_HTTP;
use relay::report;
use relay::sandbox;
use relay::service::operation::Operation;
use relay::service::view::{ActivityDetailView, ActivityView, AttemptView, EventView};

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

fn attempt(words: &Words, attempt: &AttemptView) -> String {
    if attempt.host == sandbox::HOST && attempt.remote.is_none() {
        return words.t("timeline-sandbox");
    }
    let server = match &attempt.remote {
        Some(remote) if !attempt.host.is_empty() => format!("{} ({remote})", attempt.host),
        Some(remote) => remote.clone(),
        None => attempt.host.clone(),
    };
    let took = words.number(attempt.milliseconds);
    let how = encryption::told(words, &attempt.tls);
    if let Some(source) = &attempt.source {
        let told =
            [("server", server.as_str()), ("how", how.as_str()), ("took", took.as_str()), ("source", source.as_str())];
        return words.filled("timeline-attempt-from", &told);
    }
    words.filled("timeline-attempt-how", &[("server", &server), ("how", &how), ("took", &took)])
}

fn event(words: &Words, event: &EventView, detail: &ActivityDetailView, number: usize) -> Happened {
    let slug = slug(&event.status);
    let is_remark = report::is_remark(&event.reason);
    let (icon, class) = if is_remark { ("info", "info") } else { mark(slug) };
    let status = if is_remark { words.t("timeline-report") } else { words.t(&format!("status-{slug}")) };
    let (mut told, mut quote) = (Vec::new(), event.reply.clone());
    let title = match &event.attempt {
        Some(tried) => {
            told.push(attempt(words, tried));
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
    Happened { icon, class, title, stamp, time, told, quote, is_attempt: event.attempt.is_some() }
}

/// The connection of the application, or whoever handed the message in, which comes before all else.
fn session(words: &Words, detail: &ActivityDetailView) -> Option<Happened> {
    let remote = detail.remote.as_ref()?;
    let tls = detail.tls.as_deref().unwrap_or_default();
    if tls == OVER_HTTP {
        let who = words.person(detail.client_name.as_deref().unwrap_or_default());
        let mut told = vec![words.filled("timeline-handed-in-by", &[("who", &who), ("address", remote)])];
        told.extend(detail.user_name.as_ref().map(|user| words.with("timeline-sent-as", "user", user.as_str())));
        return Some(step("connections", "", words.t("timeline-handed-in"), told));
    }
    let mut told = vec![words.filled("timeline-session", &[("address", remote), ("tls", tls)])];
    if let Some(name) = detail.client_name.as_deref().filter(|name| !name.is_empty()) {
        told.push(words.with("timeline-hello", "name", name));
    }
    if let Some(user) = &detail.user_name {
        told.push(words.with("timeline-user", "user", user.as_str()));
    }
    Some(step("connections", "", words.t("timeline-connected"), told))
}

/// What happened, the oldest first.
pub(in crate::console) fn happened(words: &Words, detail: &ActivityDetailView) -> Vec<Happened> {
    let mut attempts = 0;
    let events = detail.events.iter().map(|what| {
        attempts += usize::from(what.attempt.is_some());
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
    let delayed_seconds = visit.console.settings.limits.delayed_seconds;
    if let Some(delayed) = delayed(words, &detail.row, jiff::Timestamp::now(), delayed_seconds) {
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
        happened: happened(words, &detail),
        taken: detail.row.message.clone().filter(|_| detail.row.sandbox && slug == "delivered"),
        suppresses: matches!(slug, "hard" | "complaint")
            && !detail.row.sandbox
            && visit.may(Need::Power(Power::Administration)),
        page: visit.page(),
        detail,
    }))
}
