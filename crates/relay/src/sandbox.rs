//! The sandbox: what its addresses answer as they are told, and what is kept of the mail that it takes.
//!
//! Mail of an SMTP user in sandbox mode goes the whole way but for the last step: no server is asked. A recipient is
//! answered by the sandbox, and what it takes is kept in the test inbox of the account.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use smtp::address::Address;
use smtp::client::Stage;
use smtp::reply::{Enhanced, Reply};

use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::{Id, MessageId};
use crate::outcome::Finding;
use crate::queue::Attempt;
use crate::smtp_user::SmtpUser;
use crate::store::Content;

/// The name of the next hop that the sandbox stands for, in attempts and in DSNs.
pub const HOST: &str = "sandbox";

/// What the sandbox's replies say.
const TEXT: &str = "Answered by the sandbox, as the address asks";

/// What an address asks the sandbox to answer at RCPT in the place of a server; none: it takes the message.
///
/// The local part says it, whatever the domain: `bounce+550` and `bounce+550-5.1.1` at every attempt, with a code of
/// 500 to 599; `defer+421` and `defer+451-4.7.1` at the first attempt, with a code of 400 to 499. Anything else is an
/// address like others. `attempts` are those made before.
pub fn answer(address: &Address, attempts: u32) -> Option<Finding> {
    let (word, wish) = address.local().split_once('+')?;
    let codes = match word.to_ascii_lowercase().as_str() {
        "bounce" => 500..600,
        "defer" if attempts == 0 => 400..500,
        _ => return None,
    };
    let (code, enhanced) = match wish.split_once('-') {
        // class 2 is no failure: a server that says so is understood by its code
        Some((code, status)) => (code, Some(Enhanced::parse(status).filter(|status| status.0 != 2)?)),
        None => (wish, None),
    };
    let has_three_digits = code.len() == 3 && code.bytes().all(|octet| octet.is_ascii_digit());
    let code = code.parse().ok().filter(|code| has_three_digits && codes.contains(code))?;
    let reply = Reply { code, enhanced, lines: vec![TEXT.into()], reference: None };
    Some(Finding::Replied(Stage::Recipient, reply))
}

/// The attempt in which the sandbox answered.
pub fn attempt(at: Timestamp) -> Attempt {
    Attempt {
        at,
        milliseconds: 0,
        host: HOST.to_owned(),
        remote: None,
        tls: "none".to_owned(),
        source: None,
        others: Vec::new(),
    }
}

/// A message in a test inbox, without its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// Its id: that of the message, or of the DSN.
    pub message: MessageId,
    /// Whose it is.
    pub account: Id<Account>,
    /// The SMTP user that sent it, or whose message failed.
    pub user: Option<Id<SmtpUser>>,
    /// Where it tells of the failure of a message: which.
    pub about: Option<MessageId>,
    /// When it was captured last.
    pub at: Timestamp,
    /// Its reverse-path; empty where that is null.
    pub reverse_path: String,
    /// The recipients that the sandbox took it for, in the order of the envelope where it took it once.
    pub recipients: Vec<String>,
    /// The Subject, decoded.
    pub subject: String,
    /// The address in From.
    pub from: String,
    /// Octets, signatures included.
    pub octets: u64,
}

impl Captured {
    /// Adds recipients that it was taken for later.
    pub fn add(&mut self, later: &Captured) {
        self.at = later.at;
        for recipient in &later.recipients {
            if !self.recipients.contains(recipient) {
                self.recipients.push(recipient.clone());
            }
        }
    }

    /// Whether a recipient has this in it, whatever the case.
    pub fn is_to(&self, part: &str) -> bool {
        let part = part.to_ascii_lowercase();
        self.recipients.iter().any(|recipient| recipient.to_ascii_lowercase().contains(&part))
    }
}

/// What is to be kept in a test inbox.
#[derive(Clone, Debug)]
pub struct Capture {
    /// What is known of it; its octets are counted when it is kept.
    pub captured: Captured,
    /// What stands in front of the content: the DKIM-Signature fields.
    pub seal: Bytes,
    /// The admitted content.
    pub content: Content,
}

/// Which messages of test inboxes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapturedFilter {
    /// Of this account alone.
    pub account: Option<Id<Account>>,
    /// With this in the address of a recipient.
    pub recipient: Option<String>,
    /// Older than this one.
    pub before: Option<MessageId>,
    /// At most so many.
    pub limit: usize,
}

/// How much test inboxes hold: what is beyond it goes, the oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Messages of one account.
    pub messages_max: u64,
    /// Octets of one account.
    pub octets_max: u64,
    /// Octets of all accounts.
    pub octets_total_max: u64,
}

impl Bounds {
    /// Octets of one message: a larger one is not kept, and takes nobody's place.
    pub fn one_max(&self) -> u64 {
        self.octets_max.min(self.octets_total_max)
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            messages_max: crate::limits::INBOX_MESSAGES_MAX.value,
            octets_max: crate::limits::INBOX_OCTETS_MAX.value,
            octets_total_max: crate::limits::INBOX_OCTETS_TOTAL_MAX.value,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::outcome::rules::Rules;
    use crate::outcome::{Context, judge};
    use crate::queue::Outcome;
    use crate::retry::{Jitter, Period};
    use std::time::Duration;

    fn told(local: &str, attempts: u32) -> Option<String> {
        let address = Address::parse(&format!("{local}@any.example"), true).unwrap();
        match answer(&address, attempts)? {
            Finding::Replied(Stage::Recipient, reply) => {
                let status = reply.enhanced.map(|status| format!(" {status}")).unwrap_or_default();
                Some(format!("{}{status}", reply.code))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_address_says_what_is_answered() {
        assert_eq!(told("bounce+550", 0).as_deref(), Some("550"));
        assert_eq!(told("Bounce+552-5.2.2", 7).as_deref(), Some("552 5.2.2"));
        assert_eq!(told("bounce+554-4.4.7", 0).as_deref(), Some("554 4.4.7"), "as some servers do");
        assert_eq!(told("defer+421", 0).as_deref(), Some("421"));
        assert_eq!(told("defer+451-4.7.1", 0).as_deref(), Some("451 4.7.1"));
        assert_eq!(told("defer+421", 1), None, "the second attempt is taken");
    }

    #[test]
    fn anything_else_is_an_address_like_others() {
        for local in [
            "anna",
            "bounce",
            "bounce+",
            "bounce+250",
            "bounce+421",
            "defer+550",
            "bounce+5500",
            "bounce++55",
            "bounce+550-",
            "bounce+550-5.1",
            "bounce+550-2.0.0",
            "bounce+550-5.1.1-x",
            "bounces+550",
            "defer+399",
            "bounce+600",
            "bounce+999999999999",
            "x+bounce+550",
            "bounce+５50",
        ] {
            assert_eq!(told(local, 0), None, "{local}");
        }
    }

    #[test]
    fn a_reply_is_judged_like_a_remote_one() {
        let outcome = |local: &str| {
            let address = Address::parse(&format!("{local}@any.example"), false).unwrap();
            let context = Context {
                rules: Rules::ours(),
                now: Timestamp(0),
                domain: "any.example",
                period: Period { accepted_at: Timestamp(0), lasts: Duration::from_secs(3600) },
                attempts: 1,
                jitter: Jitter::default(),
                not_before: Timestamp(0),
                progressed: false,
                elsewhere: false,
            };
            judge(0, &answer(&address, 0).unwrap(), &context).verdict
        };
        let hard = outcome("bounce+550");
        assert_eq!(
            (hard.outcome, hard.reason.as_str()),
            (Outcome::HardBounced, "There is no such mailbox at any.example.")
        );
        assert_eq!(hard.remote_reply.as_deref(), Some("550 Answered by the sandbox, as the address asks"));
        assert_eq!(outcome("bounce+552").outcome, Outcome::SoftBounced);
        assert_eq!(outcome("bounce+550-5.2.2").outcome, Outcome::SoftBounced);
        assert_eq!(outcome("bounce+554-5.7.1").outcome, Outcome::HardBounced);
        assert!(matches!(outcome("defer+421").outcome, Outcome::Deferred { .. }));
    }
}
