//! What is noted of each refusal: for whom, about what, and why in words.

use smtp::replies;
use smtp::reply::Reply;
use smtp::server::About;
use std::sync::Arc;

use super::{Submission, Visit, lock};
use crate::account::Account;
use crate::activity::{Notice, NoticeKind};
use crate::clock::Timestamp;
use crate::directory::Directory;
use crate::id::Id;
use crate::smtp_user::SmtpUser;

/// Refusals of a connection or login that somebody has to do something about.
const CONNECTION_TROUBLES: &[&str] = &[
    "account-suspended",
    "account-without-plan",
    "address-blocked",
    "auth-blocked",
    "auth-encryption",
    "auth-failures-max",
    "auth-invalid",
    "auth-mechanism-unknown",
    "auth-required",
    "auth-unavailable",
    "errors-max",
    "messages-max",
    "network-not-allowed",
    "session-revoked",
    "sessions-account",
    "sessions-address",
    "sessions-total",
    "sessions-user",
    "tls-required",
    "user-disabled",
    "user-expired",
];

/// Refusals inside a transaction that are an application's stumbling, not a recipient's fate.
const NOT_REJECTED: &[&str] = &["no-recipients", "wrong-order"];

/// Text of a client's that is kept in a notice, characters.
const TEXT_CHARACTERS_MAX: usize = 320;

/// Why a TLS handshake failed, as far as the client can do something about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsTrouble {
    /// It knows nothing newer than TLS 1.1.
    Old,
    /// It does not trust our certificate; its own word for why.
    Distrust(String),
    /// Anything else, in the library's words.
    Other(String),
}

impl Visit {
    /// The notices that a reply makes, to be gathered. To be called for each reply that is sent.
    pub fn on_reply(
        &mut self,
        shared: &Submission,
        directory: &Directory,
        reply: &Reply,
        about: &About,
        now: Timestamp,
    ) -> Vec<Notice> {
        if reply.is_positive() {
            return Vec::new();
        }
        let reason = self.reason.take();
        // the second mechanism of one mistake: its failure is in the list
        if std::mem::take(&mut self.is_told) {
            return Vec::new();
        }
        let reference = reply.reference.unwrap_or_default();
        let notice = self.blank(shared, directory, about, now).answered(reply, reason);
        match about {
            About::Sender(sender) if self.is_logged_in() && !NOT_REJECTED.contains(&reference) => {
                vec![Notice { kind: NoticeKind::Rejected, sender: cut(sender), ..notice }]
            }
            About::Recipient(recipient) if self.transaction.is_some() && !NOT_REJECTED.contains(&reference) => {
                let mut notices = vec![Notice { kind: NoticeKind::Rejected, recipient: cut(recipient), ..notice }];
                notices.extend(self.refuse_all(shared, directory, now));
                notices
            }
            About::Content if !NOT_REJECTED.contains(&reference) => {
                let recipients = self.transaction.as_ref().or(self.ended.as_ref()).map(|transaction| {
                    let all = transaction.recipients.iter().chain(&transaction.suppressed);
                    all.map(ToString::to_string).collect::<Vec<_>>()
                });
                self.ended = None;
                let each = |recipient| Notice { kind: NoticeKind::Rejected, recipient, ..notice.clone() };
                recipients.unwrap_or_default().into_iter().map(each).collect()
            }
            _ if CONNECTION_TROUBLES.contains(&reference) => vec![notice],
            _ => Vec::new(),
        }
    }

    /// The notice of a TLS handshake that failed.
    pub fn on_tls_trouble(
        &mut self,
        shared: &Submission,
        directory: &Directory,
        trouble: &TlsTrouble,
        now: Timestamp,
    ) -> Notice {
        let (reference, reason) = match trouble {
            TlsTrouble::Old => (
                "tls-old",
                String::from(
                    "The client offered no TLS version newer than 1.1; TLS 1.2 or 1.3 is needed. \
                     Update the application or its TLS library.",
                ),
            ),
            TlsTrouble::Distrust(why) => (
                "tls-distrusted",
                format!(
                    "The client does not trust the certificate of this server ({why}). Enter the server's name exactly \
                     as the settings page shows it, and update the list of authorities that the client trusts."
                ),
            ),
            TlsTrouble::Other(why) => ("tls-failed", format!("The TLS handshake failed: {why}.")),
        };
        let notice = self.blank(shared, directory, &About::Session, now);
        Notice { reference: reference.to_owned(), reason, ..notice }
    }

    /// All or nothing: once a recipient was refused, those before it are too.
    fn refuse_all(&mut self, shared: &Submission, directory: &Directory, now: Timestamp) -> Vec<Notice> {
        let user = self.identity.and_then(|identity| directory.users.get(&identity.user));
        if !user.is_some_and(|user| user.rules.all_or_nothing) {
            return Vec::new();
        }
        let blank = self.blank(shared, directory, &About::Content, now).answered(&replies::all_or_nothing(), None);
        let Some(transaction) = &mut self.transaction else { return Vec::new() };
        transaction.refused = true;
        transaction.reservation.release();
        let all = transaction.recipients.drain(..).chain(transaction.suppressed.drain(..));
        all.map(|path| Notice { kind: NoticeKind::Rejected, recipient: path.to_string(), ..blank.clone() }).collect()
    }

    /// A notice that says who and where, not yet what.
    pub(super) fn blank(&self, shared: &Submission, directory: &Directory, about: &About, now: Timestamp) -> Notice {
        let sent = match about {
            About::Username(username) => Some(username),
            _ => None,
        };
        let named = sent.and_then(|username| directory.user_named(username));
        // who is logged in stays the one concerned, even where it was deleted meanwhile
        let (user, account, domain) = match (self.identity, named) {
            (Some(identity), _) => (Some(identity.user), Some(identity.account), Some(identity.domain)),
            (None, Some(user)) => (Some(user.id), Some(user.account), Some(user.domain)),
            (None, None) => (None, self.neighbour(shared, directory, now), None),
        };
        let username = sent.map(|name| cut(name)).or_else(|| Some(directory.users.get(&user?)?.username.clone()));
        let transaction = match about {
            About::Recipient(_) => self.transaction.as_ref(),
            About::Content => self.transaction.as_ref().or(self.ended.as_ref()),
            _ => None,
        };
        Notice {
            at: now,
            kind: NoticeKind::Connection,
            account,
            user,
            domain,
            username: username.unwrap_or_default(),
            session: self.session,
            remote: self.remote,
            tls: self.tls.clone(),
            sender: transaction.map(|transaction| transaction.reverse_path.to_string()).unwrap_or_default(),
            recipient: String::new(),
            subject: transaction.map(|transaction| transaction.subject.clone()).unwrap_or_default(),
            reference: String::new(),
            reply: String::new(),
            reason: String::new(),
            count: 1,
        }
    }

    /// The account of an address from which exactly one account's users logged in lately.
    fn neighbour(&self, shared: &Submission, directory: &Directory, now: Timestamp) -> Option<Id<Account>> {
        let guard = lock(&shared.guard);
        let users = guard.known_users(self.remote, now).filter_map(|user| directory.users.get(&user));
        let mut accounts: Vec<_> = users.map(|user: &Arc<SmtpUser>| user.account).collect();
        accounts.dedup();
        match *accounts {
            [first, ref others @ ..] if others.iter().all(|other| *other == first) => Some(first),
            _ => None,
        }
    }
}

impl Notice {
    /// With the reply that the client got, and the true reason or the catalogue's words.
    pub(super) fn answered(self, reply: &Reply, reason: Option<String>) -> Notice {
        let reference = reply.reference.unwrap_or_default();
        let words = || {
            let entry = replies::entry(reference)?;
            Some(if entry.remedy.is_empty() {
                entry.when.to_owned()
            } else {
                format!("{} {}", entry.when, entry.remedy)
            })
        };
        let spoken = match reply.enhanced {
            Some(enhanced) => format!("{} {enhanced} {}", reply.code, reply.text()),
            None => format!("{} {}", reply.code, reply.text()),
        };
        let reason = reason.or_else(words).unwrap_or_default();
        Notice { reference: reference.to_owned(), reply: spoken, reason, ..self }
    }
}

fn cut(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(TEXT_CHARACTERS_MAX).collect()
}
