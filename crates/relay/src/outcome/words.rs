//! What replies and failures of next hops mean, in words that a non-expert understands.

use smtp::reply::{Enhanced, Reply};
use std::time::Duration;

use super::{Failure, Stage};

/// What follows from a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
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
    pub(super) class: Class,
    pub(super) status: Enhanced,
    pub(super) reason: String,
}

/// How servers without enhanced status codes say that a mailbox is full.
const FULL: [&str; 5] = ["mailbox full", "mailbox is full", "over quota", "quota exceeded", "overquota"];

/// RFC 7504: the host never takes mail.
const CODES_NO_MAIL: [u16; 2] = [521, 556];

/// Whether a greeting or EHLO was refused for good rather than for now.
pub(super) fn takes_no_mail(reply: &Reply) -> bool {
    CODES_NO_MAIL.contains(&reply.code)
}

pub(super) fn of_reply(stage: Stage, reply: &Reply, domain: &str) -> Meaning {
    if reply.is_positive() {
        return match stage {
            Stage::Content => {
                let status = reply.enhanced.filter(|enhanced| enhanced.0 == 2).unwrap_or(Enhanced(2, 0, 0));
                Meaning { class: Class::Delivered, status, reason: String::new() }
            }
            _ => passing(format!("The server of {domain} answered out of turn."), Enhanced(4, 5, 0)),
        };
    }
    let class = class_of(stage, reply);
    let permanent = matches!(class, Class::Soft | Class::Hard);
    let (subject, detail) = subject_of(stage, reply);
    let status = Enhanced(if permanent { 5 } else { 4 }, subject, detail);
    let reason = sentence(stage, reply, (subject, detail), permanent, domain);
    Meaning { class, status, reason }
}

fn class_of(stage: Stage, reply: &Reply) -> Class {
    let subject = reply.enhanced.map(|Enhanced(_, subject, detail)| (subject, detail));
    if stage == Stage::Recipient && (subject == Some((5, 3)) || says(reply, &["too many recipients"])) {
        // RFC 5321 §4.5.3.1.10: even a 552 is temporary here
        return Class::Rest;
    }
    if reply.is_transient() {
        return Class::Passing;
    }
    if matches!(stage, Stage::Greeting | Stage::Hello | Stage::Tls) {
        // another of its hosts may take it, and so may this one when it knows us better
        return if takes_no_mail(reply) { Class::Hard } else { Class::Passing };
    }
    let class_passes = reply.enhanced.is_some_and(|enhanced| enhanced.0 == 4);
    match subject {
        _ if class_passes => Class::Soft,
        // mailbox full, system full, system takes nothing now, congestion, expired on its way
        Some((2, 2) | (3, 1) | (3, 2) | (4, 5) | (4, 7)) => Class::Soft,
        Some(_) => Class::Hard,
        None if reply.code == 552 && stage != Stage::Mail => Class::Soft,
        None if says(reply, &FULL) => Class::Soft,
        None => Class::Hard,
    }
}

/// Subject and detail of RFC 3463; guessed from the code where the remote gave none.
fn subject_of(stage: Stage, reply: &Reply) -> (u16, u16) {
    if let Some(Enhanced(_, subject, detail)) = reply.enhanced {
        return (subject, detail);
    }
    match (reply.code, stage) {
        _ if says(reply, &FULL) => (2, 2),
        (550 | 551 | 553, Stage::Recipient) => (1, 1),
        (552, Stage::Recipient | Stage::Content) => (2, 2),
        (552, _) => (3, 4),
        (452, _) => (3, 1),
        (421, _) => (3, 2),
        (521 | 556, _) => (1, 10),
        _ => (0, 0),
    }
}

fn says(reply: &Reply, phrases: &[&str]) -> bool {
    let text = reply.text().to_lowercase();
    phrases.iter().any(|phrase| text.contains(phrase))
}

fn sentence(stage: Stage, reply: &Reply, subject: (u16, u16), permanent: bool, domain: &str) -> String {
    if matches!(stage, Stage::Greeting | Stage::Hello) {
        return if permanent {
            format!("The server of {domain} takes no mail at all.")
        } else {
            format!("The server of {domain} does not let us in at the moment.")
        };
    }
    if stage == Stage::Tls {
        return format!("No encrypted connection could be had with the server of {domain}.");
    }
    if permanent { permanent_sentence(reply, subject, domain) } else { passing_sentence(reply, subject, domain) }
}

fn permanent_sentence(reply: &Reply, subject: (u16, u16), domain: &str) -> String {
    let spam =
        says(reply, &["spam", "blocklist", "blacklist", "black list", "block list", "reputation", "dnsbl", "rbl"]);
    match subject {
        (1, 1) | (1, 6) => format!("There is no such mailbox at {domain}."),
        (1, 2) | (4, 4) => format!("The domain {domain} does not exist or takes no mail."),
        (1, 3) => format!("The server of {domain} does not understand this address."),
        (1, 7 | 8) => format!("The server of {domain} does not accept the sender's address."),
        (1, 10) => format!("The domain {domain} takes no mail."),
        (1, _) => format!("The server of {domain} does not accept this address."),
        (2, 1) => "The mailbox is disabled.".to_owned(),
        (2, 2) => "The mailbox is full.".to_owned(),
        (2, 3) | (3, 4) => "The message is too large for the recipient's server.".to_owned(),
        (3, 1 | 2) => format!("The server of {domain} takes no mail at the moment."),
        (4, 1) => format!("The server of {domain} does not accept this address."),
        (4, 6) => format!("Mail for {domain} runs in a circle between servers."),
        (4, 5 | 7) => format!("The server of {domain} was too busy for too long."),
        (6, 7) => format!("The server of {domain} cannot take addresses with letters beyond ASCII."),
        (6, _) => format!("The server of {domain} cannot take content of this kind."),
        (7, 20..=24 | 26) => {
            format!("The server of {domain} found that the message does not prove its sender (SPF, DKIM or DMARC).")
        }
        (7, 25) => format!("The server of {domain} requires a name in DNS for this relay's address."),
        _ if spam => format!("The server of {domain} took the message, or this relay, for a source of spam."),
        (7, _) => format!("The server of {domain} refused the message by its own rules."),
        _ => format!("The server of {domain} refused the message for good."),
    }
}

fn passing_sentence(reply: &Reply, subject: (u16, u16), domain: &str) -> String {
    let later = says(reply, &["greylist", "graylist", "grey list", "gray list", "greylisted"]);
    match subject {
        _ if later => {
            format!("The server of {domain} asks every new sender to come back a little later (greylisting).")
        }
        (2, 2) => "The mailbox is full at the moment.".to_owned(),
        (2, 1) => "The mailbox takes no mail at the moment.".to_owned(),
        (3, 1) => format!("The server of {domain} has no room at the moment."),
        (3, 2) => format!("The server of {domain} takes no mail at the moment."),
        (5, 3) => format!("The server of {domain} takes fewer recipients at a time; the others follow."),
        (1, _) => format!("The server of {domain} could not check an address at the moment."),
        (4, _) => format!("The server of {domain} has trouble with its own network or DNS."),
        (7, _) => format!("The server of {domain} limits how much mail it takes from us at the moment."),
        _ => format!("The server of {domain} had a temporary problem."),
    }
}

pub(super) fn of_failure(failure: &Failure, domain: &str) -> Meaning {
    let hard = |status, reason| Meaning { class: Class::Hard, status, reason };
    match failure {
        Failure::NoSuchDomain(_) => {
            hard(Enhanced(5, 1, 2), format!("The domain {domain} does not exist, or has no server for mail."))
        }
        Failure::NullMx => hard(Enhanced(5, 1, 10), format!("The domain {domain} says that it takes no mail.")),
        Failure::ForbiddenAddress(what) => hard(
            Enhanced(5, 4, 4),
            format!("DNS names no server for {domain} that can be reached from the internet ({what})."),
        ),
        Failure::NeedsSmtputf8 => hard(
            Enhanced(5, 6, 7),
            format!(
                "The server of {domain} cannot take addresses or header fields with letters beyond ASCII (SMTPUTF8)."
            ),
        ),
        Failure::NeedsEightBit => hard(
            Enhanced(5, 6, 3),
            format!("The server of {domain} takes 7-bit content alone (it lacks 8BITMIME), and this message has more."),
        ),
        Failure::TooLarge(limit) => hard(
            Enhanced(5, 3, 4),
            format!("The message is too large for the server of {domain}, which takes {limit} octets."),
        ),
        Failure::Dns(what) => passing(format!("DNS gave no usable answer about {domain} ({what})."), Enhanced(4, 4, 3)),
        Failure::Connect(what) => {
            passing(format!("The server of {domain} could not be reached ({what})."), Enhanced(4, 4, 1))
        }
        Failure::Tls(what) => passing(
            format!("The encrypted connection that is required for {domain} could not be had ({what})."),
            Enhanced(4, 7, 5),
        ),
        Failure::Lost(what) => {
            passing(format!("The connection with the server of {domain} broke ({what})."), Enhanced(4, 4, 2))
        }
        Failure::Protocol(what) => passing(
            format!("The server of {domain} gave an answer that cannot be understood ({what})."),
            Enhanced(4, 5, 0),
        ),
    }
}

fn passing(reason: String, status: Enhanced) -> Meaning {
    Meaning { class: Class::Passing, status, reason }
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
