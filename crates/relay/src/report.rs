//! What a report that comes in after delivery means for a recipient: a bounce, a complaint, a remark; of whom, and in which words.
//!
//! What is reported is a stranger's word. It is taken from whoever holds the address that the mail went out with, about the
//! recipients of that mail, and so many times; what names none of several is nobody's. Who vouches for it decides what follows beyond
//! the history (decision 26).

use message::report::{self, Action, Complaint, Reading, Told};
use serde::{Deserialize, Serialize};
use smtp::reply::{Enhanced, Reply};
use std::collections::BTreeSet;

use crate::account::Account;
use crate::activity::Status;
use crate::authentication::Authentication;
use crate::clock::{Day, Timestamp};
use crate::id::{Id, MessageId};
use crate::language::Language;
use crate::outcome::rules::Rules;
use crate::outcome::{Class, Stage};
use crate::return_path::Token;
use crate::sending_domain::SendingDomain;
use crate::smtp_user::SmtpUser;
use crate::suppression::SuppressionCause;

/// What the words of a bounce begin with that was reported; those of its class follow.
pub const REPORTED: &str = "Reported after the message was delivered: ";
/// The words of a complaint.
pub const COMPLAINED: &str = "The recipient told their provider that they did not want this message.";
/// The words of a report that says that delivery takes longer.
pub const DELAYED: &str =
    "The recipient's server reported that it has not delivered the message yet, and goes on trying.";
/// The words of a report that says that it was delivered, or handed on.
pub const HANDED_ON: &str = "The recipient's server reported that it delivered the message, or handed it on.";
/// The words of a failure that names none of several recipients.
pub const UNATTRIBUTED: &str =
    "A server reported that a message with several recipients failed, and did not say for which of them.";
/// The words of a complaint that names none of several recipients.
pub const UNATTRIBUTED_COMPLAINT: &str =
    "A provider reported a complaint about a message with several recipients, and did not say from which of them.";

/// The words of a complaint for which nobody vouches.
pub const DOUBTED_COMPLAINT: &str =
    "A complaint about this message came in, and no domain vouches for whoever sent it: it is not counted.";

/// Whether these are the words of a report that changes nothing.
pub fn is_remark(reason: &str) -> bool {
    [DELAYED, HANDED_ON, UNATTRIBUTED, UNATTRIBUTED_COMPLAINT, DOUBTED_COMPLAINT].contains(&reason)
}

/// What a report is of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// It was given up, or failed in a way that passes.
    SoftBounce,
    /// It failed permanently.
    HardBounce,
    /// Its owner did not want it.
    Complaint,
    /// Something that changes nothing.
    Remark,
}

/// A report of one recipient, or of none that is named, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The message.
    pub message: MessageId,
    /// Whose it is.
    pub account: Id<Account>,
    /// Its sending domain.
    pub domain: Option<Id<SendingDomain>>,
    /// Its SMTP user.
    pub user: Option<Id<SmtpUser>>,
    /// By how many days the day that it counts on is ahead of that of its id, in UTC.
    pub days_ahead: i8,
    /// Of which recipient, by its number; none: it is not said of which.
    pub recipient: Option<u16>,
    /// When it came.
    pub at: Timestamp,
    /// What it is.
    pub kind: ReportKind,
    /// Of which class the failure is.
    pub class: Option<Class>,
    /// In words that a non-expert understands.
    pub reason: String,
    /// The other server's own words; empty where there are none.
    pub reply: String,
    /// Who vouches for it; none: that was not looked at.
    pub authentication: Option<Authentication>,
}

impl Report {
    /// The day that its recipient counts on, where nothing else is left of that.
    pub fn day(&self) -> Day {
        self.message.made_at().day().ahead(self.days_ahead)
    }

    /// The status that a delivered recipient has from then on; none: that which it has.
    pub fn status(&self) -> Option<Status> {
        match self.kind {
            ReportKind::SoftBounce => Some(Status::SoftBounce),
            ReportKind::HardBounce => Some(Status::HardBounce),
            ReportKind::Complaint => (!self.is_doubted()).then_some(Status::Complaint),
            ReportKind::Remark => None,
        }
    }

    /// Whether it is a complaint for which nobody vouches. Complaints stop more than mail to one recipient (product: brakes), and
    /// those who forward them do well to sign them (RFC 5965 §8): it is shown, and does not count.
    pub fn is_doubted(&self) -> bool {
        let is_vouched_for = |known: &Authentication| known.vouched_by().is_some();
        self.kind == ReportKind::Complaint && !self.authentication.as_ref().is_none_or(is_vouched_for)
    }

    /// Whether the domain in whose name it comes says that it does not.
    fn is_disowned(&self) -> bool {
        self.authentication.as_ref().is_some_and(Authentication::is_disowned)
    }

    /// Why nothing should be sent to the address again (product: suppressions); none: it says nothing of that, or the domain in whose
    /// name it comes says that it does not.
    pub fn suppresses(&self) -> Option<SuppressionCause> {
        if self.is_disowned() {
            return None;
        }
        match self.kind {
            ReportKind::HardBounce => self.class.filter(|class| class.suppresses()).map(|_| SuppressionCause::Bounce),
            ReportKind::Complaint => Some(SuppressionCause::Complaint),
            ReportKind::SoftBounce | ReportKind::Remark => None,
        }
    }
}

/// A recipient of the message that is reported on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Its number in the message.
    pub number: u16,
    /// Its address.
    pub address: String,
    /// The next hop of its last attempt; none where none was found, or nothing was tried yet.
    pub host: Option<String>,
    /// Whether its mail was delivered, as far as is known: no bounce of it is known yet.
    pub is_delivered: bool,
    /// Whether it is in the queue, as far as is known: what became of its mail may be known in a moment.
    pub is_waiting: bool,
    /// What reports of it have brought about before.
    pub acted: Acted,
}

/// What reports of a recipient have brought about, beyond its own history. Each does once: what has come again says nothing more,
/// and somebody may have lifted a suppression meanwhile. What is disowned brings nothing about, so it silences nobody either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acted {
    /// A bounce for good.
    pub bounced: bool,
    /// A complaint for which somebody vouched.
    pub complained: bool,
    /// One for which nobody did.
    pub doubted: bool,
}

impl Acted {
    /// Notes a report; whether it brings something about that none did before.
    pub fn note(&mut self, report: &Report) -> bool {
        if report.is_disowned() {
            return false;
        }
        match report.kind {
            ReportKind::HardBounce => !std::mem::replace(&mut self.bounced, true),
            ReportKind::Complaint if report.is_doubted() => {
                !std::mem::replace(&mut self.doubted, true) && !self.complained
            }
            ReportKind::Complaint => !std::mem::replace(&mut self.complained, true),
            ReportKind::SoftBounce | ReportKind::Remark => false,
        }
    }
}

impl Recipient {
    /// Whether a report brings something about that none did before.
    pub fn is_news(&self, report: &Report) -> bool {
        let mut acted = self.acted;
        acted.note(report)
    }

    /// Whether it may have gone in one transaction with another one: whoever was handed one of a domain was handed all of it
    /// there, and a smarthost those of several domains.
    fn may_have_gone_with(&self, other: &Recipient) -> bool {
        let domain = |known: &Recipient| known.address.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
        domain(self) == domain(other) || (self.host.is_some() && self.host == other.host)
    }
}

/// What judging needs besides the report.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What the address names that it came to.
    pub token: &'a Token,
    /// The recipients of that message of whom something is left.
    pub recipients: &'a [Recipient],
    /// Which class a reply is of.
    pub rules: &'a Rules,
    /// Now.
    pub now: Timestamp,
    /// Who vouches for it; none: that was not looked at.
    pub authentication: Option<&'a Authentication>,
}

/// What a report means; nothing where it is an automatic answer, or nothing that can be understood.
pub fn judge(reading: &Reading, context: &Context<'_>) -> Vec<Report> {
    match reading {
        Reading::Status(told) => of_status(told, context),
        Reading::Complaint(complaint) => vec![of_complaint(complaint, context)],
        Reading::Automatic | Reading::Unknown => Vec::new(),
    }
}

impl Context<'_> {
    /// The recipient that is meant by one of these addresses: the only one that the token names, or else the one so called
    /// among those of its transaction. Whom else the message went to stands in its header: that a server was handed some of
    /// them gives it no say about the others.
    fn named<'t>(&self, mut addresses: impl Iterator<Item = &'t String>) -> Option<u16> {
        self.token.recipient().or_else(|| {
            let first = self.recipients.iter().find(|known| known.number == self.token.first)?;
            let is_called = |address: &String| {
                let mut called = self.recipients.iter().filter(|known| known.address.eq_ignore_ascii_case(address));
                called.find(|known| known.may_have_gone_with(first)).map(|known| known.number)
            };
            addresses.find_map(is_called)
        })
    }

    fn domain_of(&self, recipient: Option<u16>) -> &str {
        let known = self.recipients.iter().find(|known| Some(known.number) == recipient);
        known.and_then(|known| known.address.rsplit_once('@')).map_or("the recipient", |(_, domain)| domain)
    }

    fn report(&self, recipient: Option<u16>, kind: ReportKind, reason: &str) -> Report {
        Report {
            message: self.token.message,
            account: self.token.account,
            domain: self.token.domain,
            user: self.token.user,
            days_ahead: self.token.days_ahead,
            recipient,
            at: self.now,
            kind,
            class: None,
            reason: reason.to_owned(),
            reply: String::new(),
            authentication: self.authentication.cloned(),
        }
    }
}

/// One report of each recipient, the failures first: behind an alias several may be told of.
fn of_status(told: &[Told], context: &Context<'_>) -> Vec<Report> {
    let (failed, others): (Vec<&Told>, Vec<&Told>) = told.iter().partition(|told| told.action == Action::Failed);
    let mut seen = BTreeSet::new();
    let mut reports = Vec::new();
    for told in failed.into_iter().chain(others) {
        let recipient = context.named(told.original.iter().chain(&told.recipient));
        if !seen.insert(recipient) {
            continue;
        }
        reports.extend(match (told.action, recipient) {
            (Action::Failed, Some(_)) => Some(of_failure(told, recipient, context)),
            (Action::Failed, None) => {
                let report = context.report(None, ReportKind::Remark, UNATTRIBUTED);
                Some(Report { reply: said(told), ..report })
            }
            (_, None) => None,
            (Action::Delayed, _) => Some(context.report(recipient, ReportKind::Remark, DELAYED)),
            (Action::Delivered | Action::Relayed | Action::Expanded, _) => {
                Some(context.report(recipient, ReportKind::Remark, HANDED_ON))
            }
        });
    }
    reports
}

fn of_failure(told: &Told, recipient: Option<u16>, context: &Context<'_>) -> Report {
    let reply = reply_of(told);
    // what came after delivery was said to some server further on: at which stage is not known
    let class = context.rules.classify(Stage::Content, &reply).class;
    let passes = reply.is_transient() || reply.enhanced.is_some_and(|enhanced| enhanced.0 == 4) || class.passes();
    let kind = if passes { ReportKind::SoftBounce } else { ReportKind::HardBounce };
    let words = class.words(Language::English, context.domain_of(recipient));
    let report = context.report(recipient, kind, &format!("{REPORTED}{words}"));
    Report { class: Some(class), reply: said(told), ..report }
}

fn of_complaint(complaint: &Complaint, context: &Context<'_>) -> Report {
    let recipient = context.named(complaint.recipients.iter());
    let report = match recipient {
        Some(_) => {
            let report = context.report(recipient, ReportKind::Complaint, COMPLAINED);
            let reason = if report.is_doubted() { DOUBTED_COMPLAINT.to_owned() } else { report.reason.clone() };
            Report { reason, ..report }
        }
        None => context.report(None, ReportKind::Remark, UNATTRIBUTED_COMPLAINT),
    };
    let by = if complaint.program.is_empty() { String::new() } else { format!(" ({})", complaint.program) };
    Report { reply: format!("{}{by}", complaint.kind), ..report }
}

/// The words of the server that refused, with the status where they have none, and the server's name.
fn said(told: &Told) -> String {
    let mut said = match &told.status {
        Some(status) if !told.diagnostic.contains(status.as_str()) => format!("{status} {}", told.diagnostic),
        _ => told.diagnostic.clone(),
    };
    if !told.server.is_empty() {
        said.push_str(&format!(" ({})", told.server));
    }
    said.trim().to_owned()
}

/// The reply that a failure was told by, as the rules read it.
fn reply_of(told: &Told) -> Reply {
    let enhanced = told.status.as_deref().and_then(Enhanced::parse);
    let code = report::code_of(&told.diagnostic);
    let code = code.unwrap_or(if enhanced.is_some_and(|enhanced| enhanced.0 == 4) { 450 } else { 550 });
    Reply { code, enhanced, lines: vec![told.diagnostic.clone().into()], reference: None }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
