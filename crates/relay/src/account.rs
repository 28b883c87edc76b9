//! Accounts: who owns domains, SMTP users and mail.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::Id;
use crate::language::Language;
use crate::quota::Quota;

/// An organisation that uses the relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its number.
    pub id: Id<Account>,
    /// What people call it.
    pub name: String,
    /// Whether it may send.
    pub state: AccountState,
    /// To how many recipients it may send in a month.
    pub quota: Quota,
    /// The time zone that its people read times in (IANA name).
    pub time_zone: String,
    /// The language of what is written to it.
    pub language: Language,
    /// When it was made.
    pub created_at: Timestamp,
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
