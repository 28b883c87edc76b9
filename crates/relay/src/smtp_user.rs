//! SMTP users: the credentials that applications log in with, and what each may do.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::Id;
use crate::priority::Class;
use crate::sending_domain::SendingDomain;

/// A username and password for one application, bound to one exact domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmtpUser {
    /// Its number.
    pub id: Id<SmtpUser>,
    /// The account of its domain.
    pub account: Id<Account>,
    /// The one domain it sends from.
    pub domain: Id<SendingDomain>,
    /// What people call it.
    pub name: String,
    /// Generated, ASCII letters and digits; never changes.
    pub username: String,
    /// Keyed hashes of the passwords that work: one, or two while one replaces the other.
    #[serde(skip)]
    pub passwords: Vec<PasswordHash>,
    /// Whether it may log in.
    pub enabled: bool,
    /// What it may do beyond the defaults.
    pub rules: UserRules,
    /// When it was made.
    pub created_at: Timestamp,
}

/// HMAC-SHA-256 of a generated password under a key derived from the master key (119 bits of
/// password make a slow hash needless).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PasswordHash(pub [u8; 32]);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// What one SMTP user may do beyond or below the defaults. All empty: the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserRules {
    /// From then on logins get `525 5.7.13`.
    pub expires_at: Option<Timestamp>,
    /// Networks it may log in from; empty: any.
    pub networks: Vec<IpNet>,
    /// After one refused recipient, refuse the whole message.
    pub all_or_nothing: bool,
    /// Accept, sign and capture, never send.
    pub sandbox: bool,
    /// Seconds to retry; none: the route's or the default's five days.
    pub retry_seconds: Option<u64>,
    /// Addresses that may stand in From and reverse-path; empty: any of its domain.
    pub senders: Vec<String>,
    /// Domains that it may send to; empty: any.
    pub recipient_domains: Vec<String>,
    /// Answer a suppressed recipient with `550 5.7.1` instead of `250` and a Rejected row.
    pub refuse_suppressed: bool,
    /// How urgent its mail is.
    pub priority: Class,
    /// Its mail goes to one recipient each, and tells them where to unsubscribe with one click (RFC 8058).
    pub one_click_unsubscribe: bool,
    /// Seconds in which the same message once more is answered with the first id and not sent again, whatever followed the first;
    /// none: as the limits say, and only where nothing followed.
    pub repeat_seconds: Option<u64>,
}
