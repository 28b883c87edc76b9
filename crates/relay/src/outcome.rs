//! What a finding of the outbound side means for a recipient: delivered, deferred, soft or hard bounce.

mod class;
mod reference;
pub mod rules;
mod spoken;
pub mod unknown;
mod words;

pub use class::{Class, NoSuchClass, SiteAction};
pub use reference::markdown;
pub use smtp::client::Stage;
use smtp::reply::{Enhanced, Reply};
pub use spoken::{reason_in, suppressed_in};

use std::net::SocketAddr;

use crate::clock::Timestamp;
use crate::queue::{Outcome, TriedHost, Verdict};
use crate::retry::{Jitter, Period};
use rules::Rules;
use words::Course;

/// Why there was no reply to judge by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The domain does not exist, or has neither MX nor address.
    NoSuchDomain(String),
    /// The domain says that it takes no mail (RFC 7505).
    NullMx,
    /// DNS did not answer, or not usefully: never a bounce by itself.
    Dns(String),
    /// DNS named only addresses that must not be dialled (loopback, private, our own…).
    ForbiddenAddress(String),
    /// No host could be connected to.
    Connect(String),
    /// The address that is to be sent from cannot be used: the operator's to mend, and no verdict about anybody's mail or site.
    Source(String),
    /// TLS was required and could not be had.
    Tls(String),
    /// The next hop of a route did not let this relay log in: the operator's to mend, and no verdict about mail.
    Login(String),
    /// The connection broke, or fell silent, before a final reply.
    Lost(String),
    /// The next hop lacks SMTPUTF8 and the message needs it.
    NeedsSmtputf8,
    /// The next hop lacks 8BITMIME and the content needs it.
    NeedsEightBit,
    /// The sender requires TLS on the whole way, and this next hop does not promise or have it.
    NeedsRequireTls(String),
    /// TLS that the sender alone requires broke, and may go better the next time: no verdict about the site, where other mail
    /// may be carried in the clear.
    SenderTls(String),
    /// The next hop said something that is not SMTP.
    Protocol(String),
    /// The message is larger than the next hop's SIZE.
    TooLarge(u64),
    /// Nobody was asked: the site is left alone for a while, because of replies of this class to other mail.
    Suspended(Class),
    /// Nobody was asked: what could carry it warms up, and has carried what today allows.
    WarmingUp(Box<WarmingUp>),
}

/// A source that warms up, and what it warms up for. Not how much it carried: accounts read it, and others send from it, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarmingUp {
    /// The source's name.
    pub source: String,
    /// The provider's name; [`crate::warm_up::OTHERS`]: all that no rule names.
    pub provider: String,
}

/// What was found out about one recipient in one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The next hop's reply that decides about this recipient.
    Replied(Stage, Reply),
    /// There was none.
    Failed(Failure),
}

/// What judging needs besides the finding.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Which class a reply is of.
    pub rules: &'a Rules,
    /// Now: the attempt has ended.
    pub now: Timestamp,
    /// The recipient's domain, for the words.
    pub domain: &'a str,
    /// The message's retry period.
    pub period: Period,
    /// Attempts made, this one included.
    pub attempts: u32,
    /// Rolled once for the attempt, so that its recipients stay together.
    pub jitter: Jitter,
    /// Not to be tried again before, because its site is left alone until then.
    pub not_before: Timestamp,
    /// Whether the same attempt brought another recipient through.
    pub progressed: bool,
    /// Whether it goes from another source next, whatever this one was told.
    pub elsewhere: bool,
}

impl Context<'_> {
    /// When to try again after a failure of this class; none where the period is over.
    fn next(&self, class: Option<Class>) -> Option<Timestamp> {
        match class.map(Class::site_action) {
            Some(SiteAction::WaitShorter) => self.period.next_greylisted(self.now, self.attempts, self.jitter),
            _ => self.period.next(self.now, self.attempts, self.jitter),
        }
    }
}

/// A verdict, with the status that a DSN gives for it (RFC 3463).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What becomes of the recipient, and why.
    pub verdict: Verdict,
    /// Class 2, 4 or 5 as the outcome is.
    pub status: Enhanced,
}

/// What becomes of one recipient after one attempt.
pub fn judge(recipient: u16, finding: &Finding, context: &Context<'_>) -> Judgement {
    let meaning = match finding {
        Finding::Replied(stage, reply) => words::of_reply(context.rules, *stage, reply, context.domain),
        Finding::Failed(failure) => words::of_failure(failure, context.domain),
    };
    let remote_reply = match finding {
        Finding::Replied(_, reply) => Some(remote_text(reply)),
        Finding::Failed(_) => None,
    };
    let (outcome, status, reason) = match meaning.course {
        Course::Delivered => (Outcome::Delivered { sandbox: false }, meaning.status, String::new()),
        Course::Hard | Course::Soft if context.elsewhere => {
            let Enhanced(_, subject, detail) = meaning.status;
            (Outcome::Deferred { until: context.now }, Enhanced(4, subject, detail), meaning.reason)
        }
        Course::Hard => (Outcome::HardBounced, meaning.status, meaning.reason),
        Course::Soft => (Outcome::SoftBounced, meaning.status, meaning.reason),
        Course::Rest if context.progressed => {
            (Outcome::Deferred { until: context.now }, meaning.status, meaning.reason)
        }
        Course::Passing | Course::Rest => match context.next(meaning.class) {
            Some(until) => (Outcome::Deferred { until: until.max(context.not_before) }, meaning.status, meaning.reason),
            None => (Outcome::SoftBounced, EXPIRED, words::expired(context.period.lasts, &meaning.reason)),
        },
    };
    Judgement { verdict: Verdict { recipient, outcome, class: meaning.class, reason, remote_reply }, status }
}

/// What becomes of one recipient that could not even be attempted, for a fault of our own that passes.
pub fn postpone(recipient: u16, reason: &str, context: &Context<'_>) -> Judgement {
    let (outcome, status, reason) = match context.period.next(context.now, context.attempts, context.jitter) {
        Some(until) => {
            (Outcome::Deferred { until: until.max(context.not_before) }, Enhanced(4, 3, 0), reason.to_owned())
        }
        None => (Outcome::SoftBounced, EXPIRED, words::expired(context.period.lasts, reason)),
    };
    Judgement { verdict: Verdict { recipient, outcome, class: None, reason, remote_reply: None }, status }
}

/// Delivery time expired (RFC 3463 §3.5).
const EXPIRED: Enhanced = Enhanced(5, 4, 7);

/// Why a recipient ends without a further attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A person cancelled it: this one.
    Cancelled(String),
    /// A person cancelled it, and wants the sender to hear nothing of it: this one.
    CancelledUntold(String),
    /// Its sending domain was deleted, and its time to finish is over.
    DomainDeleted,
    /// Its account was deleted.
    AccountDeleted,
    /// The validation of its sending domain was lost and did not come back.
    DomainInvalid,
    /// The sandbox took it.
    Sandbox,
    /// What was kept of it is damaged on the disk.
    Damaged,
}

/// What becomes of one recipient that is not attempted any more.
pub fn end(recipient: u16, ending: &Ending) -> Judgement {
    let (outcome, status, reason) = match ending {
        Ending::Cancelled(by) | Ending::CancelledUntold(by) => (Outcome::HardBounced, Enhanced(5, 0, 0), format!("Cancelled by {by}.")),
        Ending::DomainDeleted => (
            Outcome::HardBounced,
            Enhanced(5, 7, 1),
            "The sending domain was deleted before this could be delivered.".to_owned(),
        ),
        Ending::AccountDeleted => (
            Outcome::HardBounced,
            Enhanced(5, 7, 1),
            "The account was deleted before this could be delivered.".to_owned(),
        ),
        Ending::DomainInvalid => (
            Outcome::SoftBounced,
            Enhanced(5, 7, 1),
            "The sending domain lost its validation and did not get it back in time.".to_owned(),
        ),
        // other or undefined mail system status (RFC 3463 §3.4)
        Ending::Damaged => (
            Outcome::HardBounced,
            Enhanced(5, 3, 0),
            "The relay accepted this message, and a fault of its disk damaged it before it could be delivered. Send it again."
                .to_owned(),
        ),
        Ending::Sandbox => (Outcome::Delivered { sandbox: true }, Enhanced(2, 0, 0), String::new()),
    };
    Judgement { verdict: Verdict { recipient, outcome, class: None, reason, remote_reply: None }, status }
}

/// What a finding says, for the operator: its class where there was no reply, and the words.
pub fn told(finding: &Finding) -> (Option<Class>, String) {
    match finding {
        // the operator's own, and nothing that accounts are told
        Finding::Failed(Failure::Login(why)) => (Some(Class::RelayLogin), format!("The login failed: {why}.")),
        Finding::Failed(Failure::Source(why)) => {
            (Some(Class::RelaySource), format!("The source cannot be used: {why}."))
        }
        _ => told_to_account(finding, "the domain"),
    }
}

/// The same for the account, of a recipient at `domain`.
fn told_to_account(finding: &Finding, domain: &str) -> (Option<Class>, String) {
    match finding {
        Finding::Replied(_, reply) => (None, remote_text(reply)),
        Finding::Failed(failure) => {
            let meaning = words::of_failure(failure, domain);
            (meaning.class, meaning.reason)
        }
    }
}

/// Whether a finding is a refusal for good that is about the source, by what the rules say of it: another one may be taken.
pub fn is_block(rules: &Rules, finding: &Finding) -> bool {
    let Finding::Replied(stage, reply) = finding else { return false };
    let is_final = !reply.is_positive() && !reply.is_transient();
    is_final && !is_site_down(finding) && rules.classify(*stage, reply).site == SiteAction::Suspend
}

/// The characters that are kept of what came of a server besides the one that an attempt is shown with.
const TRIED_CHARACTERS_MAX: usize = 300;

/// What an attempt to reach a recipient at `domain` is shown to have found at one of the servers besides the one that it is
/// shown with.
pub fn tried(host: &str, remote: Option<SocketAddr>, finding: &Finding, domain: &str) -> TriedHost {
    let (class, said) = told_to_account(finding, domain);
    TriedHost { host: host.to_owned(), remote, class, said: one_line(&said, TRIED_CHARACTERS_MAX) }
}

/// Whether a finding says that the site as a whole cannot be reached, whatever the message.
pub fn is_site_down(finding: &Finding) -> bool {
    match finding {
        Finding::Replied(Stage::Greeting | Stage::Hello | Stage::Tls, reply) => !words::takes_no_mail(reply),
        Finding::Replied(..) => false,
        Finding::Failed(failure) => {
            matches!(
                failure,
                Failure::Dns(_) | Failure::Connect(_) | Failure::Source(_) | Failure::Tls(_) | Failure::Login(_)
            )
        }
    }
}

/// The characters of a remote's reply that are kept for people.
const REMOTE_CHARACTERS_MAX: usize = 1000;

/// A remote's reply on one line: code, status, text; without control characters, and cut where it is long.
fn remote_text(reply: &Reply) -> String {
    let mut text = reply.code.to_string();
    if let Some(enhanced) = reply.enhanced {
        text.push_str(&format!(" {enhanced}"));
    }
    text.push(' ');
    text.push_str(&reply.text());
    one_line(&text, REMOTE_CHARACTERS_MAX)
}

/// A text without control characters, and cut where it is longer.
fn one_line(text: &str, characters_max: usize) -> String {
    if text.len() <= characters_max && !text.contains(char::is_control) {
        return text.trim_end().to_owned();
    }
    let harmless = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    harmless.take(characters_max).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests;
