//! Accounts: who owns domains, SMTP users and mail.

use serde::{Deserialize, Serialize};

use crate::clock::{Day, Timestamp};
use crate::id::Id;
use crate::language::Language;
use crate::plan::Subscription;
use crate::quota::Quota;
use crate::time_zone::TimeZone;

/// An organisation that uses the relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its number.
    pub id: Id<Account>,
    /// What people call it.
    pub name: String,
    /// Whether it may send.
    pub state: AccountState,
    /// When its periods begin, and its limit where it has one of its own (none: its plan's). What holds on a day is
    /// [`Account::quota`].
    pub own_quota: Quota,
    /// Which plan it is on, what follows, and what it asked for.
    pub subscription: Subscription,
    /// Whom to write to beside its administrators.
    pub contacts: Contacts,
    /// The time zone that its people read times in, and whose days its mail is counted by.
    pub time_zone: TimeZone,
    /// The language of what is written to it.
    pub language: Language,
    /// For how many days its rows of Activity and Connections and its calls to webhooks are kept; none: as long as the
    /// relay keeps any ([`crate::limits::ACTIVITY_DAYS`]).
    pub activity_days: Option<u64>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Account {
    /// Which day a moment is for it: what is accepted then counts on that.
    pub fn day(&self, at: Timestamp) -> Day {
        self.time_zone.day(at)
    }
}

/// Whether an account may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// It may.
    Active,
    /// The operator suspended it: logins get `525 5.7.13`, its queue is held.
    Suspended,
}

/// An account that is deleted, for as long as something of it is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// When it was deleted.
    pub since: Timestamp,
    /// Whether all its mail is given up, and not only what is held.
    pub cancels_mail: bool,
}

/// Whom an account wants to be written to about plan and quota, beside its administrators.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contacts {
    /// For whatever it is about.
    pub primary: Option<Contact>,
    /// For what it costs.
    pub billing: Option<Contact>,
}

/// Somebody with an address, who need not be a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// What they are called.
    pub name: String,
    /// Their address.
    pub email: String,
}
