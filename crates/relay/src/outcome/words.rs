//! What replies and failures of next hops mean: their class, what follows, and words that a non-expert understands.

use smtp::reply::{Enhanced, Reply};
use std::time::Duration;

use super::class::Class;
use super::rules::Rules;
use super::{Failure, Stage, WarmingUp};
use crate::language::Language;
use crate::warm_up::OTHERS;

/// What follows from a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// The next hop took responsibility.
    Delivered,
    /// Tried again until the retry period ends.
    Passing,
    /// Too many recipients for one transaction: the rest goes in the next one.
    Rest,
    /// A permanent reply of a class that passes: not tried again, the address may be good.
    Soft,
    /// Permanent.
    Hard,
}

/// A finding, understood.
#[derive(Debug)]
pub(super) struct Meaning {
    pub(super) course: Course,
    /// None where it was delivered.
    pub(super) class: Option<Class>,
    pub(super) status: Enhanced,
    pub(super) reason: String,
}

/// RFC 7504: the host never takes mail.
const CODES_NO_MAIL: [u16; 2] = [521, 556];

/// Whether a greeting or EHLO was refused for good rather than for now.
pub(super) fn takes_no_mail(reply: &Reply) -> bool {
    CODES_NO_MAIL.contains(&reply.code)
}

pub(super) fn of_reply(rules: &Rules, stage: Stage, reply: &Reply, domain: &str) -> Meaning {
    if reply.is_positive() {
        return match stage {
            Stage::Content => {
                let status = reply.enhanced.filter(|enhanced| enhanced.0 == 2).unwrap_or(Enhanced(2, 0, 0));
                Meaning { course: Course::Delivered, class: None, status, reason: String::new() }
            }
            _ => passing(Class::Protocol, format!("The server of {domain} answered out of turn."), Enhanced(4, 5, 0)),
        };
    }
    let class = rules.classify(stage, reply).class;
    let course = course_of(stage, reply, class);
    let permanent = matches!(course, Course::Soft | Course::Hard);
    let (subject, detail) =
        reply.enhanced.map_or_else(|| class.status(), |Enhanced(_, subject, detail)| (subject, detail));
    let status = Enhanced(if permanent { 5 } else { 4 }, subject, detail);
    Meaning { course, class: Some(class), status, reason: class.words(Language::English, domain) }
}

fn course_of(stage: Stage, reply: &Reply, class: Class) -> Course {
    if stage == Stage::Recipient && class == Class::TooManyRecipients {
        // RFC 5321 §4.5.3.1.10: even a 552 is temporary here
        return Course::Rest;
    }
    if reply.is_transient() {
        return Course::Passing;
    }
    if matches!(stage, Stage::Greeting | Stage::Hello | Stage::Tls) {
        // another of its hosts may take it, and so may this one when it knows us better
        let never = class == Class::HostTakesNoMail && takes_no_mail(reply);
        return if never { Course::Hard } else { Course::Passing };
    }
    let says_for_now = reply.enhanced.is_some_and(|enhanced| enhanced.0 == 4);
    if says_for_now || class.passes() { Course::Soft } else { Course::Hard }
}

pub(super) fn of_failure(failure: &Failure, domain: &str) -> Meaning {
    let hard = |class, status, reason| Meaning { course: Course::Hard, class: Some(class), status, reason };
    match failure {
        Failure::NoSuchDomain(_) => {
            hard(Class::NoSuchDomain, Enhanced(5, 1, 2), Class::NoSuchDomain.words(Language::English, domain))
        }
        Failure::NullMx => hard(
            Class::DomainTakesNoMail,
            Enhanced(5, 1, 10),
            format!("The domain {domain} says that it takes no mail."),
        ),
        Failure::ForbiddenAddress(what) => hard(
            Class::Routing,
            Enhanced(5, 4, 4),
            format!("DNS names no server for {domain} that can be reached from the internet ({what})."),
        ),
        Failure::NeedsSmtputf8 => hard(
            Class::Unsupported,
            Enhanced(5, 6, 7),
            format!(
                "The server of {domain} cannot take addresses or header fields with letters beyond ASCII (SMTPUTF8)."
            ),
        ),
        Failure::NeedsEightBit => hard(
            Class::Unsupported,
            Enhanced(5, 6, 3),
            format!("The server of {domain} takes 7-bit content alone (it lacks 8BITMIME), and this message has more."),
        ),
        Failure::NeedsRequireTls(what) => hard(
            Class::RequireTls,
            Enhanced(5, 7, 30),
            format!("{} ({what})", Class::RequireTls.words(Language::English, domain).trim_end_matches('.')) + ".",
        ),
        Failure::TooLarge(limit) => hard(
            Class::MessageTooLarge,
            Enhanced(5, 3, 4),
            format!("The message is too large for the server of {domain}, which takes {limit} octets."),
        ),
        Failure::Dns(what) => {
            passing(Class::Dns, format!("DNS gave no usable answer about {domain} ({what})."), Enhanced(4, 4, 3))
        }
        Failure::Connect(what) => {
            passing(Class::Network, format!("The server of {domain} could not be reached ({what})."), Enhanced(4, 4, 1))
        }
        Failure::Tls(what) => passing(
            Class::Tls,
            format!("The encrypted connection that is required for {domain} could not be had ({what})."),
            Enhanced(4, 7, 5),
        ),
        Failure::SenderTls(what) => passing(
            Class::Tls,
            format!("The encrypted connection that the sender requires for {domain} could not be had ({what})."),
            Enhanced(4, 7, 5),
        ),
        Failure::Login(_) => {
            passing(Class::RelayLogin, Class::RelayLogin.words(Language::English, domain), Enhanced(4, 7, 8))
        }
        Failure::Source(_) => {
            passing(Class::RelaySource, Class::RelaySource.words(Language::English, domain), Enhanced(4, 3, 5))
        }
        Failure::Lost(what) => passing(
            Class::Network,
            format!("The connection with the server of {domain} broke ({what})."),
            Enhanced(4, 4, 2),
        ),
        Failure::Suspended(class) => {
            let (subject, detail) = class.status();
            passing(*class, class.words(Language::English, domain), Enhanced(4, subject, detail))
        }
        Failure::WarmingUp(day) => passing(Class::RelayWarmUp, warming_up(day), Enhanced(4, 3, 2)),
        Failure::Protocol(what) => passing(
            Class::Protocol,
            format!("The server of {domain} gave an answer that cannot be understood ({what})."),
            Enhanced(4, 5, 0),
        ),
    }
}

/// Why nothing more of an account's mail goes today from a source that warms up.
fn warming_up(WarmingUp { source, provider }: &WarmingUp) -> String {
    let whom = if provider == OTHERS { "smaller providers together" } else { provider };
    format!(
        "The relay's address {source} is warming up at {whom}, and has carried what it may of this account's mail today. It goes on \
         at 00:00 UTC."
    )
}

fn passing(class: Class, reason: String, status: Enhanced) -> Meaning {
    Meaning { course: Course::Passing, class: Some(class), status, reason }
}

/// The reason of a recipient whose retry period ended.
pub(super) fn expired(period: Duration, last: &str) -> String {
    format!("Given up after {}. The last attempt: {last}", span(period))
}

fn span(period: Duration) -> String {
    let seconds = period.as_secs();
    let (count, unit) = match seconds {
        172_800.. => (seconds / 86_400, "day"),
        7_200.. => (seconds / 3_600, "hour"),
        120.. => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
