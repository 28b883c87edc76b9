//! The addresses that mail goes out with, so that what is reported about it later finds its way back: each names a message and
//! a transaction of it, and the recipient where that has one (VERP).
//!
//! The local part is a token that needs no memory of ours: what it names, until when it is good, and a keyed code over
//! both, so that nobody who was not sent mail can report on any. Numbers of accounts and users are not to be read or compared by
//! strangers: all of it is covered (`covered.rs`).

use smtp::address::{Address, ReversePath};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::account::Account;
use crate::clock::{Day, Timestamp};
use crate::covered::{CODE_OCTETS, Cover, push_number, take_number};
use crate::id::{Id, MessageId};
use crate::queue::{Envelope, Origin};
use crate::sending_domain::SendingDomain;
use crate::smtp_user::SmtpUser;
use crate::zone;

/// What the local part of such an address begins with.
const PREFIX: &str = "b-";
/// Octets of a whole token, so that with its prefix it is a local part of at most 64 octets (RFC 5321 §4.5.3.1.1).
const TOKEN_OCTETS_MAX: usize = 38;
/// Octets of a message and a day, which every token has.
const FIXED_OCTETS: usize = 18;

/// What a token names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// The message.
    pub message: MessageId,
    /// Whose it is.
    pub account: Id<Account>,
    /// Its sending domain.
    pub domain: Option<Id<SendingDomain>>,
    /// Its SMTP user.
    pub user: Option<Id<SmtpUser>>,
    /// The transaction, by the number of its first recipient in the message.
    pub first: u16,
    /// Whether that is its only one.
    pub is_single: bool,
    /// The last day on which it is good, in UTC.
    pub until: Day,
    /// By how many days the day that the message counts on is ahead of that of its id, in UTC.
    pub days_ahead: i8,
}

impl Token {
    /// The recipient that it names; none of several.
    pub fn recipient(&self) -> Option<u16> {
        self.is_single.then_some(self.first)
    }

    fn packed(&self) -> Option<Vec<u8>> {
        let mut octets = self.message.0.to_be_bytes().to_vec();
        octets.extend(u16::try_from(self.until.0).ok()?.to_be_bytes());
        for number in [
            u64::from(self.first) * 2 + u64::from(!self.is_single),
            self.account.number(),
            self.domain.map_or(0, Id::number),
            self.user.map_or(0, Id::number),
        ] {
            push_number(&mut octets, number);
        }
        // most mail counts on the day of its id: only the other tokens become an octet longer
        if self.days_ahead != 0 {
            push_number(&mut octets, u64::from(self.days_ahead.cast_unsigned()));
        }
        (octets.len() + CODE_OCTETS <= TOKEN_OCTETS_MAX).then_some(octets)
    }

    fn unpacked(octets: &[u8]) -> Option<Token> {
        let (fixed, mut rest) = octets.split_at_checked(FIXED_OCTETS)?;
        let (message, until) = fixed.split_at(16);
        let mut numbers = [0; 4];
        for number in &mut numbers {
            *number = take_number(&mut rest)?;
        }
        let [place, account, domain, user] = numbers;
        let days_ahead = if rest.is_empty() { 0 } else { u8::try_from(take_number(&mut rest)?).ok()?.cast_signed() };
        rest.is_empty().then_some(Token {
            message: MessageId(u128::from_be_bytes(message.try_into().ok()?)),
            account: Id::new(account),
            domain: (domain != 0).then(|| Id::new(domain)),
            user: (user != 0).then(|| Id::new(user)),
            first: u16::try_from(place / 2).ok()?,
            is_single: place % 2 == 0,
            until: Day(u64::from(u16::from_be_bytes(until.try_into().ok()?))),
            days_ahead,
        })
    }
}

/// Why an address is none that a report may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The relay never made it.
    Foreign,
    /// It did, and too long ago.
    Expired,
}

/// Makes the addresses, and knows them again.
#[derive(Clone)]
pub struct ReturnPaths {
    cover: Cover,
    lifetime: Duration,
}

impl fmt::Debug for ReturnPaths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl ReturnPaths {
    /// With a key (`Book::return_path_key`), for addresses that are good for so long.
    pub fn new(key: [u8; 32], lifetime: Duration) -> ReturnPaths {
        ReturnPaths { cover: Cover::new(key, ""), lifetime }
    }

    /// The local part for a token; none where it has no room, which takes numbers beyond billions.
    pub fn local_part(&self, token: &Token) -> Option<String> {
        Some(format!("{PREFIX}{}", self.cover.close(token.packed()?)?))
    }

    /// What a local part names, whatever the case of its letters.
    ///
    /// # Errors
    /// [`Refused`]: nothing is to be taken for it.
    pub fn token(&self, local: &str, now: Timestamp) -> Result<Token, Refused> {
        let token = self.read(local).ok_or(Refused::Foreign)?;
        if token.until < now.day() { Err(Refused::Expired) } else { Ok(token) }
    }

    fn read(&self, local: &str) -> Option<Token> {
        let prefix = local.get(..PREFIX.len()).filter(|prefix| prefix.eq_ignore_ascii_case(PREFIX))?;
        Token::unpacked(&self.cover.open(local.strip_prefix(prefix)?, TOKEN_OCTETS_MAX)?)
    }

    /// How the mail of an envelope goes out: by an address of its own where its sending domain has a return-path host that the
    /// last look found right; none: with the reverse-path that was submitted. What a next hop takes over of that which the sender
    /// asked (RFC 3461) goes out with the submitted one in any case: it is the sender whom that hop is to tell.
    pub fn of(self: &Arc<Self>, envelope: &Envelope, domain: &SendingDomain, now: Timestamp) -> Option<Verp> {
        let is_ours = envelope.origin == Origin::Submission && envelope.reverse_path != ReversePath::Null;
        let host = zone::return_path_host(domain).filter(|_| is_ours && is_seen(domain))?;
        let token = Token {
            message: envelope.message,
            account: envelope.account,
            domain: envelope.domain,
            user: envelope.user,
            first: 0,
            is_single: false,
            until: now.after(self.lifetime).day(),
            days_ahead: envelope.day().ahead_of(envelope.message.made_at().day()).unwrap_or_default(),
        };
        Some(Verp { paths: Arc::clone(self), token, host })
    }
}

/// Whether the last look at a domain found that reports come to the relay, and that it may send with the host.
fn is_seen(domain: &SendingDomain) -> bool {
    let path = domain.check.as_ref().and_then(|check| check.return_path.as_ref());
    path.is_some_and(crate::inspection::ReturnPath::is_right)
}

/// Makes the reverse-paths of one message.
#[derive(Clone, Debug)]
pub struct Verp {
    paths: Arc<ReturnPaths>,
    token: Token,
    host: String,
}

impl Verp {
    /// That of a transaction that begins with this recipient, by its number, and has so many; none: the submitted one.
    pub fn path(&self, first: u16, recipients: usize) -> Option<ReversePath> {
        let token = Token { first, is_single: recipients == 1, ..self.token };
        let address = format!("{}@{}", self.paths.local_part(&token)?, self.host);
        Address::parse(&address, false).ok().map(ReversePath::Mailbox)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
