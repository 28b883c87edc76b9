//! A call: one event on its way to one webhook, and what became of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{EventKind, Verdict, Webhook};
use crate::account::Account;
use crate::clock::Timestamp;
use crate::id::Id;
use crate::limits::{WEBHOOK_LOG_MAX, WEBHOOK_WAITING_MAX};

/// What every id begins with.
const PREFIX: &str = "msg_";

/// The id of a call, `webhook-id` of every attempt at it: a receiver drops by it what it has had already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CallId(pub [u8; 16]);

/// The text is no id of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a webhook call: `msg_` and 32 hexadecimal digits")]
pub struct NotACall;

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl FromStr for CallId {
    type Err = NotACall;

    fn from_str(text: &str) -> Result<Self, NotACall> {
        let digits = text.strip_prefix(PREFIX).ok_or(NotACall)?.as_bytes();
        let (pairs, []) = digits.as_chunks::<2>() else { return Err(NotACall) };
        let mut call = [0; 16];
        if pairs.len() != call.len() {
            return Err(NotACall);
        }
        for (octet, pair) in call.iter_mut().zip(pairs) {
            let digit = |letter: u8| char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *octet = digit(pair[0]).ok_or(NotACall)? << 4 | digit(pair[1]).ok_or(NotACall)?;
        }
        Ok(CallId(call))
    }
}

impl From<CallId> for String {
    fn from(call: CallId) -> String {
        call.to_string()
    }
}

impl TryFrom<String> for CallId {
    type Error = NotACall;

    fn try_from(text: String) -> Result<Self, NotACall> {
        text.parse()
    }
}

/// A call to be kept until it is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCall {
    /// To whom.
    pub webhook: Id<Webhook>,
    /// Whose that is.
    pub account: Id<Account>,
    /// Its id.
    pub call: CallId,
    /// What it tells.
    pub event: EventKind,
    /// When that happened.
    pub at: Timestamp,
    /// What is sent, octet by octet, at each attempt.
    pub body: String,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// It is to be sent.
    Waiting,
    /// The receiver has taken it.
    Delivered,
    /// It was given up.
    Failed,
}

/// One attempt at a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub milliseconds: u64,
    /// The status of the answer; none where there was none.
    pub status: Option<u16>,
    /// Why the call was not taken, in words; empty where it was.
    pub fault: String,
    /// The beginning of the answer.
    pub answer: String,
}

/// A call as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its number: those of later calls are higher.
    pub number: u64,
    /// What it is.
    pub new: NewCall,
    /// Where it stands.
    pub state: CallState,
    /// When it is sent next, where it waits.
    pub due: Timestamp,
    /// When it is given up, where it waits.
    pub until: Timestamp,
    /// Attempts made, since it was last asked for.
    pub attempts: u32,
    /// The last attempt, where there was one.
    pub last: Option<Try>,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// To whom.
    pub webhook: Id<Webhook>,
    /// The number of the call.
    pub number: u64,
    /// Its id.
    pub call: CallId,
    /// The attempt.
    pub last: Try,
    /// What that means.
    pub verdict: Verdict,
}

/// Which calls are to be sent once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redo {
    /// This one, whether it failed or not.
    One(CallId),
    /// Those that were given up and tell what happened at or after this moment, the oldest first.
    FailedSince(Timestamp),
}

/// How the calls of a webhook stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Calls that wait.
    pub waiting: u64,
    /// Calls that were not kept, because so many waited already.
    pub dropped: u64,
    /// When that last happened.
    pub dropped_at: Option<Timestamp>,
}

/// A webhook with calls that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// Which.
    pub webhook: Id<Webhook>,
    /// Whose.
    pub account: Id<Account>,
    /// How many.
    pub waiting: u64,
    /// When the first is due.
    pub due: Timestamp,
}

/// How much is kept of each webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Calls that wait; further events are counted and not kept.
    pub waiting_max: u64,
    /// Calls that wait no more, in its log: the oldest go.
    pub log_max: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { waiting_max: WEBHOOK_WAITING_MAX.value, log_max: WEBHOOK_LOG_MAX.value }
    }
}
