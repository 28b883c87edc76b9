//! Why something failed, in the reader's language, and what to do: known from what a row has.
//!
//! Rows keep an English sentence. A refusal of ours has its stable name besides, and a failure its class, which has its
//! words in both languages (`relay::outcome::Class`); what else became of a recipient is known by its sentence, which
//! `relay::outcome` alone writes, and a test here knows each that it can write. What is not known is shown as it was
//! stored.

use relay::outcome::Class;
use relay::report;
use relay::service::view::{ActivityView, ConnectionView, EventView};

use super::words::Words;

/// Why, and what to do about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Why {
    /// A sentence or two; empty where all is well.
    pub(super) cause: String,
    /// The next step; empty where there is none to say.
    pub(super) fix: String,
}

/// A stored sentence, the message that says the same, and the one that says what to do.
struct Sentence(&'static str, &'static str, &'static str);

/// Every sentence that holds, ends and faults of our own are told by. The longer of two that begin alike comes first.
const SENTENCES: &[Sentence] = &[
    Sentence("Cancelled by {who}.", "why-cancelled", "fix-again"),
    Sentence(
        "The sending domain was deleted before this could be delivered.",
        "why-domain-deleted",
        "fix-domain-again",
    ),
    Sentence("The account was deleted before this could be delivered.", "why-account-deleted", "fix-account-deleted"),
    Sentence(
        "The sending domain lost its validation and did not get it back in time.",
        "why-domain-lost",
        "fix-records",
    ),
    Sentence(
        "The relay accepted this message, and a fault of its disk damaged it before it could be delivered. Send it again.",
        "why-damaged",
        "fix-again",
    ),
    Sentence("The test inbox cannot keep the message at the moment.", "why-inbox", "fix-operator"),
    Sentence("The message could not be signed by the relay.", "why-unsigned", "fix-operator"),
    Sentence("Held by the operator of the relay until they release it.", "why-held-operator", "fix-operator"),
    Sentence("Held because the account is suspended.", "why-held-suspended", "fix-operator"),
    Sentence(
        "Held because the records of the sending domain are no longer published.",
        "why-held-domain",
        "fix-records",
    ),
    Sentence(
        "Held because it is damaged on the relay's disk. The operator of the relay was told.",
        "why-held-damaged",
        "fix-operator",
    ),
    Sentence(
        "Held by the automatic brake, until an administrator of the account or the operator of the relay releases it.",
        "why-held-brake",
        "fix-brake",
    ),
    Sentence("It was released and is tried again now.", "why-released", "fix-later"),
    Sentence(report::COMPLAINED, "why-complaint", "fix-complaint"),
    Sentence(report::DELAYED, "why-reported-delayed", "fix-nothing"),
    Sentence(report::HANDED_ON, "why-reported-on", "fix-nothing"),
    Sentence(report::UNATTRIBUTED, "why-unattributed", "fix-unattributed"),
    Sentence(report::UNATTRIBUTED_COMPLAINT, "why-unattributed-complaint", "fix-unattributed"),
    Sentence(report::DOUBTED_COMPLAINT, "why-doubted-complaint", "fix-doubted-complaint"),
];

/// The sentences that failures were told by before rows had their class.
const OLDER: &[(&str, Class)] = &[
    ("There is no such mailbox at {domain}.", Class::NoSuchMailbox),
    ("The domain {domain} does not exist or takes no mail.", Class::NoSuchDomain),
    ("The domain {domain} does not exist, or has no server for mail.", Class::NoSuchDomain),
    ("The domain {domain} says that it takes no mail.", Class::DomainTakesNoMail),
    ("The domain {domain} takes no mail.", Class::DomainTakesNoMail),
    ("The server of {domain} does not understand this address.", Class::AddressSyntax),
    ("The server of {domain} does not accept the sender's address.", Class::SenderRefused),
    ("The server of {domain} does not accept this address.", Class::RecipientRefused),
    ("The mailbox is disabled.", Class::MailboxDisabled),
    ("The mailbox is full.", Class::MailboxFull),
    ("The message is too large for the recipient's server.", Class::MessageTooLarge),
    ("The message is too large for the server of {domain}, which takes {limit} octets.", Class::MessageTooLarge),
    ("The server of {domain} takes no mail at the moment.", Class::ServerFault),
    ("The server of {domain} takes no mail at all.", Class::HostTakesNoMail),
    ("Mail for {domain} runs in a circle between servers.", Class::Loop),
    ("The server of {domain} was too busy for too long.", Class::ServerFault),
    ("The server of {domain} cannot take addresses with letters beyond ASCII.", Class::Unsupported),
    (
        "The server of {domain} cannot take addresses or header fields with letters beyond ASCII (SMTPUTF8).",
        Class::Unsupported,
    ),
    (
        "The server of {domain} takes 7-bit content alone (it lacks 8BITMIME), and this message has more.",
        Class::Unsupported,
    ),
    ("The server of {domain} cannot take content of this kind.", Class::Unsupported),
    (
        "The server of {domain} found that the message does not prove its sender (SPF, DKIM or DMARC).",
        Class::Authentication,
    ),
    ("The server of {domain} requires a name in DNS for this relay's address.", Class::RelayName),
    ("The server of {domain} took the message, or this relay, for a source of spam.", Class::Content),
    ("The server of {domain} refused the message by its own rules.", Class::Policy),
    ("The server of {domain} refused the message for good.", Class::Unknown),
    ("The server of {domain} does not let us in at the moment.", Class::NotAdmitted),
    ("No encrypted connection could be had with the server of {domain}.", Class::Tls),
    ("The encrypted connection that is required for {domain} could not be had ({what}).", Class::Tls),
    ("The server of {domain} asks every new sender to come back a little later (greylisting).", Class::Greylisting),
    ("The mailbox is full at the moment.", Class::MailboxFull),
    ("The mailbox takes no mail at the moment.", Class::MailboxUnavailable),
    ("The server of {domain} has no room at the moment.", Class::ServerFault),
    ("The server of {domain} takes fewer recipients at a time; the others follow.", Class::TooManyRecipients),
    ("The server of {domain} could not check an address at the moment.", Class::ServerFault),
    ("The server of {domain} has trouble with its own network or DNS.", Class::Network),
    ("The server of {domain} limits how much mail it takes from us at the moment.", Class::Rate),
    ("The server of {domain} had a temporary problem.", Class::ServerFault),
    ("The server of {domain} answered out of turn.", Class::Protocol),
    ("The server of {domain} gave an answer that cannot be understood ({what}).", Class::Protocol),
    ("DNS names no server for {domain} that can be reached from the internet ({what}).", Class::Routing),
    ("DNS gave no usable answer about {domain} ({what}).", Class::Dns),
    ("The server of {domain} could not be reached ({what}).", Class::Network),
    ("The connection with the server of {domain} broke ({what}).", Class::Network),
];

/// What a pattern of literal text and `{names}` takes from a text; none where it does not fit.
pub(super) fn taken<'t>(pattern: &str, text: &'t str) -> Option<Vec<(String, &'t str)>> {
    let (mut pattern, mut text, mut taken) = (pattern, text, Vec::new());
    while let Some((literal, rest)) = pattern.split_once('{') {
        let (name, rest) = rest.split_once('}')?;
        text = text.strip_prefix(literal)?;
        let next = rest.split('{').next().unwrap_or_default();
        let end = if rest.contains('{') { text.find(next)? } else { text.len().checked_sub(next.len())? };
        taken.push((name.to_owned(), text.get(..end)?));
        (pattern, text) = (rest, &text[end..]);
    }
    (pattern == text).then_some(taken)
}

/// How long a message was tried, as it is stored: `5 days`.
fn span(words: &Words, stored: &str) -> Option<String> {
    let (count, unit) = stored.split_once(' ')?;
    let count = count.parse().ok()?;
    Some(match unit.trim_end_matches('s') {
        "day" => words.count("span-days", count),
        "hour" => words.count("span-hours", count),
        "minute" => words.count("span-minutes", count),
        "second" => words.count("span-seconds", count),
        _ => return None,
    })
}

/// How the end of the retry period is told.
const GIVEN_UP: &str = "Given up after {span}. The last attempt: {last}";

/// The same of a recipient that was given up, where the stored sentence says that; none where it does not.
fn given_up(words: &Words, stored: &str, last: impl FnOnce(&str) -> Option<Why>) -> Option<Why> {
    let taken = taken(GIVEN_UP, stored)?;
    let [(_, lasted), (_, told)] = taken.as_slice() else { return None };
    let (last, lasted) = (last(told)?, span(words, lasted)?);
    let cause = words.filled("why-given-up", &[("span", lasted.as_str()), ("last", last.cause.as_str())]);
    Some(Why { cause, fix: words.t("fix-given-up") })
}

/// What a class means, of a recipient at this domain.
fn of_class(words: &Words, class: Class, domain: &str) -> Why {
    Why { cause: class.words(words.language, domain), fix: class.next_step(words.language).to_owned() }
}

/// A stored sentence in the reader's language, where it is known.
fn known(words: &Words, stored: &str) -> Option<Why> {
    if let Some(why) = given_up(words, stored, |last| known(words, last)) {
        return Some(why);
    }
    let told = SENTENCES.iter().find_map(|Sentence(pattern, cause, fix)| {
        let taken = taken(pattern, stored)?;
        let cause = match taken.as_slice() {
            [(_, who)] => words.with(cause, "who", words.person(who)),
            _ => words.t(cause),
        };
        Some(Why { cause, fix: words.t(fix) })
    });
    told.or_else(|| {
        OLDER.iter().find_map(|(pattern, class)| {
            let taken = taken(pattern, stored)?;
            let domain = taken.iter().find(|(name, _)| name == "domain").map_or("", |(_, domain)| domain);
            Some(of_class(words, *class, domain))
        })
    })
}

/// What an attempt, a hold or an end is told by, of a recipient and with the name of its class, where it has one.
fn of_sentence(words: &Words, class: Option<&str>, recipient: &str, stored: &str) -> Why {
    if stored.is_empty() {
        return Why::default();
    }
    if let Some(class) = class.and_then(|name| name.parse().ok()) {
        let domain = recipient.rsplit_once('@').map_or("", |(_, domain)| domain);
        let why = of_class(words, class, domain);
        if stored.starts_with(report::REPORTED) {
            return Why { cause: words.with("why-reported", "last", why.cause.as_str()), fix: why.fix };
        }
        return given_up(words, stored, |_| Some(why.clone())).map_or(why.clone(), |told| Why { fix: why.fix, ..told });
    }
    known(words, stored).unwrap_or_else(|| Why { cause: stored.to_owned(), fix: String::new() })
}

/// Why an event of a row came.
pub(super) fn of_event(words: &Words, recipient: &str, event: &EventView) -> Why {
    of_sentence(words, event.class.as_deref(), recipient, &event.reason)
}

/// Why a server that an attempt tried did not take the mail, by the name of the class of its failure.
pub(super) fn of_failure(words: &Words, class: &str, recipient: &str, stored: &str) -> Why {
    of_sentence(words, Some(class), recipient, stored)
}

/// Why something was refused, by the stable name of our reply; as it was stored where there are no words for it.
pub(super) fn of_refusal(words: &Words, reference: &str, stored: &str) -> Why {
    let (cause, fix) = (format!("reply-{reference}"), format!("reply-{reference}-fix"));
    if words.has(&cause) {
        return Why { cause: words.t(&cause), fix: if words.has(&fix) { words.t(&fix) } else { String::new() } };
    }
    Why { cause: stored.to_owned(), fix: String::new() }
}

/// Why a row of Activity is as it is.
pub(super) fn of_row(words: &Words, row: &ActivityView) -> Why {
    if row.reference.is_empty() {
        let why = of_sentence(words, row.class.as_deref(), &row.recipient, &row.reason);
        // what passes is waited for
        let is_waited_for = row.status == "deferred" && !why.fix.is_empty();
        return if is_waited_for { Why { fix: words.t("fix-later"), ..why } } else { why };
    }
    let flood = "{count} further refusals came too fast to be listed one by one; the last: {reply}";
    if let Some([(_, count), _]) = taken(flood, &row.reason).as_deref() {
        let count = count.parse().unwrap_or(row.count);
        let fix = of_refusal(words, &row.reference, "").fix;
        return Why { cause: words.count("why-flood", count), fix };
    }
    of_refusal(words, &row.reference, &row.reason)
}

/// What kind of trouble a connection had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// The stable word of it, which names its messages and chooses it in the page's address.
    pub(super) word: &'static str,
    /// The classes of its badge, and its icon.
    pub(super) badge: (&'static str, &'static str),
}

/// Every kind, in the order that they are offered in.
pub(super) const TROUBLES: [Trouble; 9] = [
    Trouble { word: "password", badge: ("failed", "cross") },
    Trouble { word: "username", badge: ("failed", "cross") },
    Trouble { word: "network", badge: ("failed", "cross") },
    Trouble { word: "blocked", badge: ("rejected", "rejected") },
    Trouble { word: "clear", badge: ("failed", "lock") },
    Trouble { word: "tls", badge: ("failed", "lock") },
    Trouble { word: "limit", badge: ("warning", "alert") },
    Trouble { word: "state", badge: ("expired", "clock") },
    Trouble { word: "other", badge: ("warning", "alert") },
];

/// The right password from a network that is not allowed reads like a wrong one to the client.
fn is_from_elsewhere(row: &ConnectionView) -> bool {
    row.reference == "auth-invalid" && row.reason.starts_with("The password is right,")
}

/// So does a username that there is not.
fn is_of_nobody(row: &ConnectionView) -> bool {
    row.reference == "auth-invalid" && row.reason.starts_with("No SMTP user has this username.")
}

/// The kind of a row of Connections.
pub(super) fn trouble_of(row: &ConnectionView) -> Trouble {
    let word = match row.reference.as_str() {
        "auth-invalid" if is_from_elsewhere(row) => "network",
        "network-not-allowed" => "network",
        "auth-invalid" if is_of_nobody(row) => "username",
        "auth-invalid" => "password",
        "auth-blocked" | "address-blocked" | "auth-failures-max" => "blocked",
        "auth-encryption" | "tls-required" => "clear",
        "tls-old" | "tls-distrusted" | "tls-failed" => "tls",
        "sessions-user" | "sessions-account" | "sessions-address" | "sessions-total" | "messages-max" => "limit",
        "user-disabled" | "user-expired" | "account-suspended" | "account-without-plan" | "session-revoked" => "state",
        _ => "other",
    };
    TROUBLES.into_iter().find(|trouble| trouble.word == word).unwrap_or(TROUBLES[8])
}

/// What went wrong with a connection.
pub(super) fn of_connection(words: &Words, row: &ConnectionView) -> Why {
    if is_from_elsewhere(row) {
        let cause = words.with("reply-network", "address", row.remote.as_str());
        return Why { cause, fix: words.with("reply-network-fix", "address", row.remote.as_str()) };
    }
    let mut why = if is_of_nobody(row) {
        Why { cause: words.t("reply-nobody"), fix: words.t("reply-nobody-fix") }
    } else {
        of_refusal(words, &row.reference, &row.reason)
    };
    let blocked = row.reason.split_once(" Blocked for ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    if let Some(minutes) = blocked {
        why.cause.push(' ');
        why.cause.push_str(&words.count("why-then-blocked", minutes));
    }
    why
}

/// Why an address is blocked.
pub(super) fn of_block(words: &Words, stored: &str) -> String {
    let (told, rest) = stored.split_once(" within ").unwrap_or((stored, ""));
    let count = told.split(' ').next().and_then(|count| count.parse().ok());
    match count {
        Some(count) if told.ends_with("wrong pairs of username and password") && !rest.is_empty() => {
            words.count("connections-block-pairs", count)
        }
        Some(count) if told.ends_with("failed logins") && !rest.is_empty() => {
            words.count("connections-block-failures", count)
        }
        _ => stored.to_owned(),
    }
}

#[cfg(test)]
mod tests;
