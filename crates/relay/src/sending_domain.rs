//! Sending domains and their DKIM keys.

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::Id;
use crate::verification::Check;

/// A domain that an account sends from. A subdomain is a domain of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendingDomain {
    /// Its number.
    pub id: Id<SendingDomain>,
    /// Its owner.
    pub account: Id<Account>,
    /// The name, lower case, A-labels.
    pub name: String,
    /// Whether it may be sent from.
    pub state: DomainState,
    /// Whether a failed delivery is told to the reverse-path by a DSN.
    pub bounce_mails: bool,
    /// Its keys: two selectors each of RSA and Ed25519, of which one each signs.
    pub keys: Vec<DkimKey>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was deleted: its users stopped then, its queue has 24 h, its keys stay until that is empty.
    pub deleted_at: Option<Timestamp>,
    /// Once deleted, its queue is given up at once instead.
    #[serde(default)]
    pub cancels_mail: bool,
    /// Since when a record is missing that was there before.
    pub lost_at: Option<Timestamp>,
    /// The last look at its records.
    pub check: Option<Check>,
}

impl SendingDomain {
    /// A domain as it is added: its records have not been looked at, and failed deliveries are told by DSNs.
    pub fn new(
        id: Id<SendingDomain>,
        account: Id<Account>,
        name: impl Into<String>,
        keys: Vec<DkimKey>,
        created_at: Timestamp,
    ) -> SendingDomain {
        SendingDomain {
            id,
            account,
            name: name.into(),
            state: DomainState::Pending,
            bounce_mails: true,
            keys,
            created_at,
            deleted_at: None,
            cancels_mail: false,
            lost_at: None,
            check: None,
        }
    }
}

/// Whether a domain may be sent from (product: sending domains).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DomainState {
    /// Its records have not been seen yet.
    Pending,
    /// Its records are published.
    Validated,
    /// A record vanished; 72 h of grace.
    Warning,
    /// Its records are gone or wrong.
    Failed,
    /// The operator's word instead of DNS.
    Vouched,
}

impl DomainState {
    /// Whether mail from it is accepted.
    pub fn may_send(self) -> bool {
        matches!(self, DomainState::Validated | DomainState::Warning | DomainState::Vouched)
    }
}

/// The algorithm of a DKIM key (RFC 6376 §3.3, RFC 8463).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyAlgorithm {
    /// rsa-sha256 with 2048 bits.
    Rsa2048,
    /// ed25519-sha256.
    Ed25519,
}

impl KeyAlgorithm {
    /// Both.
    pub const ALL: [KeyAlgorithm; 2] = [KeyAlgorithm::Rsa2048, KeyAlgorithm::Ed25519];
}

/// One DKIM key of a domain. The private half never leaves the store unwrapped but for signing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DkimKey {
    /// The label before `._domainkey.<domain>`; random, never given twice. It stays when its key is made anew.
    pub selector: String,
    /// Its algorithm.
    pub algorithm: KeyAlgorithm,
    /// The TXT record to publish, `v=DKIM1; k=…; p=…`.
    pub record: String,
    /// Whether it is the selector in use of its algorithm.
    pub active: bool,
    /// When its record was first seen in DNS; signing begins then (or on a route that says so), see [`crate::signing`].
    pub seen_at: Option<Timestamp>,
    /// When it took the place of an earlier key of this selector; none: it came with its domain.
    pub made_at: Option<Timestamp>,
    /// When it last began to sign, or ended to; none: neither since it was made ([`crate::rotation`]).
    pub moved_at: Option<Timestamp>,
}

impl DkimKey {
    /// A key as it comes with its domain: not seen in DNS yet.
    pub fn new(
        selector: impl Into<String>,
        algorithm: KeyAlgorithm,
        record: impl Into<String>,
        active: bool,
    ) -> DkimKey {
        let (selector, record) = (selector.into(), record.into());
        DkimKey { selector, algorithm, record, active, seen_at: None, made_at: None, moved_at: None }
    }

    /// Whether it took the place of an earlier key and has neither been seen in DNS nor signed yet: nothing depends on it.
    pub fn is_awaited(&self) -> bool {
        self.made_at.is_some() && self.seen_at.is_none() && !self.active
    }
}
