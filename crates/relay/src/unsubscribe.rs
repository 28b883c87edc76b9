//! Unsubscribing with one click (RFC 8058): the links that mail goes out with, what they name, and what follows from one.
//!
//! A link names the account, the SMTP user, the recipient and the day of the mail, and needs nothing else: it works whatever was
//! deleted since, and as long as the master key is the same. It has no end of its own.

use smtp::address::Address;
use std::fmt;

use crate::account::Account;
use crate::clock::{Day, Timestamp};
use crate::covered::{CODE_OCTETS, Cover, push_number, take_number};
use crate::id::Id;
use crate::limits::Limits;
use crate::service::Fault;
use crate::service::door::Boxed;
use crate::smtp_user::SmtpUser;
use crate::store::{Book, StoreError};
use crate::suppression::{Suppression, SuppressionCause};

/// Where the links lead to, below the address that recipients reach.
pub const PATH: &str = "/unsubscribe/";

/// Octets of an address at the most (RFC 5321 §4.5.3.1: 64, `@`, 255).
const ADDRESS_OCTETS_MAX: usize = 320;
/// Octets of a whole token: the code, a day, two numbers, an address. In letters these leave room in a line of 998.
const TOKEN_OCTETS_MAX: usize = CODE_OCTETS + 2 + 9 + 9 + ADDRESS_OCTETS_MAX;

/// What a link names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Whose mail it was.
    pub account: Id<Account>,
    /// The SMTP user that sent it: of its mail no more is wanted.
    pub user: Id<SmtpUser>,
    /// The recipient, in lower case.
    pub recipient: String,
    /// When the mail was taken.
    pub sent: Day,
}

impl Wish {
    /// That of a recipient of mail that an SMTP user sends now.
    pub fn of(user: &SmtpUser, recipient: &Address, now: Timestamp) -> Wish {
        let recipient = recipient.to_string().to_lowercase();
        Wish { account: user.account, user: user.id, recipient, sent: now.day() }
    }

    /// What is kept of it.
    fn suppression(&self, now: Timestamp) -> Suppression {
        // a text without a language: the account reads it in its own console
        let reason = format!("List-Unsubscribe, {}", self.sent);
        let cause = SuppressionCause::Unsubscribed;
        Suppression { cause, reason, at: now, until: None, stream: Some(self.user) }
    }

    fn packed(&self) -> Option<Vec<u8>> {
        let mut octets = u16::try_from(self.sent.0).ok()?.to_be_bytes().to_vec();
        push_number(&mut octets, self.account.number());
        push_number(&mut octets, self.user.number());
        octets.extend_from_slice(self.recipient.as_bytes());
        (octets.len() + CODE_OCTETS <= TOKEN_OCTETS_MAX).then_some(octets)
    }

    fn unpacked(octets: &[u8]) -> Option<Wish> {
        let (sent, mut rest) = octets.split_at_checked(2)?;
        let sent = Day(u64::from(u16::from_be_bytes(sent.try_into().ok()?)));
        let (account, user) = (take_number(&mut rest)?, take_number(&mut rest)?);
        let recipient = std::str::from_utf8(rest).ok()?.to_owned();
        Some(Wish { account: Id::new(account), user: Id::new(user), recipient, sent })
    }
}

/// Makes the links, and knows them again.
#[derive(Clone)]
pub struct Links {
    cover: Cover,
    base: String,
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Links {
    /// With a key (`Book::return_path_key`); `base` is where recipients reach the relay, `https://mail.example.com`.
    pub fn new(key: [u8; 32], base: &str) -> Links {
        Links { cover: Cover::new(key, "unsubscribe "), base: base.trim_end_matches('/').to_owned() }
    }

    /// The link for a wish; none where it has no room, which takes numbers beyond all measure.
    pub fn link(&self, wish: &Wish) -> Option<String> {
        Some(format!("{}{PATH}{}", self.base, self.cover.close(wish.packed()?)?))
    }

    /// What the token at the end of a link names; none where it was never made here.
    pub fn wish(&self, token: &str) -> Option<Wish> {
        Wish::unpacked(&self.cover.open(token, TOKEN_OCTETS_MAX)?)
    }
}

/// Takes wishes of recipients.
pub trait Unsubscriber: Send + Sync + 'static {
    /// What the token of a link names; none where it was never made here.
    fn wish(&self, token: &str) -> Option<Wish>;

    /// The domain that the mail came from, for people to know it by; none where the SMTP user or the domain is gone.
    fn sender(&self, wish: &Wish) -> Option<String>;

    /// Carries a wish out; it is on the disk when this returns.
    ///
    /// # Errors
    /// It is not kept: to be asked for again.
    fn unsubscribe(&self, wish: Wish) -> Boxed<'_, Result<(), Fault>>;

    /// The time.
    fn now(&self) -> Timestamp;
}

/// Suppresses the recipient for the stream that they want no more of; whether that is new. Once is enough: whoever asks again
/// writes nothing. Of an account that is gone nothing is sent, and nothing kept.
///
/// # Errors
/// The store's; [`StoreError::NoRoom`] where the account has as many as it may.
pub fn carry_out(book: &impl Book, wish: &Wish, limits: &Limits, now: Timestamp) -> Result<bool, StoreError> {
    let directory = book.directory();
    if !directory.accounts.contains_key(&wish.account) {
        return Ok(false);
    }
    let suppression = wish.suppression(now);
    if let Some(known) = directory.suppressions.get(&wish.account) {
        if known.of(&wish.recipient, Some(wish.user)).is_some_and(|known| known.outlasts(&suppression)) {
            return Ok(false);
        }
        // they have room of their own: a list that is full of bounces silences nobody's wish
        if known.streams_len() as u64 >= limits.account_suppressions_max {
            let account = wish.account;
            return Err(StoreError::NoRoom(format!("account {account} has as many unsubscribed addresses as it may")));
        }
    }
    let added = [(wish.recipient.clone(), suppression)];
    match book.suppress(wish.account, &added, false, None, now) {
        // deleted in between
        Err(StoreError::NotFound(_)) => Ok(false),
        kept => Ok(kept? > 0),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn links(key: u8) -> Links {
        Links::new([key; 32], "https://mail.example.com/")
    }

    fn wish(recipient: &str) -> Wish {
        Wish { account: Id::new(3), user: Id::new(12), recipient: recipient.to_owned(), sent: Day(20_800) }
    }

    fn token(links: &Links, wish: &Wish) -> String {
        let link = links.link(wish).unwrap();
        link.strip_prefix("https://mail.example.com/unsubscribe/").unwrap().to_owned()
    }

    proptest! {
        #[test]
        fn a_link_leads_back_to_its_wish(account in 1..5_000_000u64, user in 1..5_000_000u64, day in 0..60_000u64,
            local in "[a-z0-9.é]{1,32}", domain in "[a-z0-9.-]{1,200}") {
            let recipient = format!("{local}@{domain}");
            let wish = Wish { account: Id::new(account), user: Id::new(user), recipient, sent: Day(day) };
            let token = token(&links(1), &wish);
            prop_assert!(token.bytes().all(|letter| letter.is_ascii_alphanumeric()));
            prop_assert_eq!(links(1).wish(&token), Some(wish.clone()));
            prop_assert_eq!(links(1).wish(&token.to_uppercase()), Some(wish));
            prop_assert_eq!(links(2).wish(&token), None);
            prop_assert_eq!(links(1).wish(&format!("{token}a")), None);
            prop_assert_eq!(links(1).wish(&token[..token.len() - 1]), None);
        }

        #[test]
        fn any_text_is_read_without_harm(text in "\\PC{0,100}") {
            prop_assert_eq!(links(1).wish(&text), None);
        }
    }

    #[test]
    fn an_address_of_return_paths_is_no_link() {
        let other = Cover::new([1; 32], "").close(wish("a@b.example").packed().unwrap()).unwrap();
        assert_eq!(links(1).wish(&other), None);
    }

    #[test]
    fn the_longest_address_has_room_in_a_line() {
        let long = format!("{}@{}", "l".repeat(64), "d".repeat(255));
        let link = Links::new([1; 32], &format!("https://{}", "h".repeat(253))).link(&wish(&long)).unwrap();
        assert!(format!("List-Unsubscribe: <{link}>").len() <= 998, "{}", link.len());
        assert_eq!(links(1).link(&wish(&format!("{long}{}", "d".repeat(20)))), None);
    }
}
