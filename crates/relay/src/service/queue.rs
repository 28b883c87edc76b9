//! Orders about a part of the queue: which part somebody means, and what is to become of it.

use serde::{Deserialize, Serialize};

use super::{Fault, account_find, domain_find, user_find};
use crate::audit::{Details, Field};
use crate::clock::Timestamp;
use crate::id::Id;
use crate::moment;
use crate::power::Scope;
use crate::queue::{HoldReason, RecipientState};
use crate::reroute::Via;
use crate::route::{Destination, Routes};
use crate::selection::{Filter, Whom};
use crate::store::Book;

/// A part of the queue, as people and programs name it. What is not given does not matter; something has to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    /// The number of the account.
    pub account: Option<u64>,
    /// The sending domain, by number or name.
    pub domain: Option<String>,
    /// The SMTP user, by number or username.
    pub user: Option<String>,
    /// An address, or `@domain`.
    pub recipient: Option<String>,
    /// Accepted at or after.
    pub since: Option<Timestamp>,
    /// Accepted before.
    pub until: Option<Timestamp>,
}

impl Selection {
    /// It in parts, for the audit log, which knows the account by itself.
    #[must_use]
    pub fn audited(&self, told: Details) -> Details {
        told.with_any(Field::Domain, self.domain.as_ref())
            .with_any(Field::SmtpUser, self.user.as_ref())
            .with_any(Field::Recipient, self.recipient.as_ref())
            .with_any(Field::Since, self.since.as_ref())
            .with_any(Field::Until, self.until.as_ref())
    }

    /// It in words, for questions: `account 3, to @example.com`.
    pub fn words(&self) -> String {
        let words = [
            self.account.map(|account| format!("account {account}")),
            self.domain.as_ref().map(|domain| format!("domain {domain}")),
            self.user.as_ref().map(|user| format!("SMTP user {user}")),
            self.recipient.as_ref().map(|recipient| format!("to {recipient}")),
            self.since.map(|since| format!("accepted since {}", moment::text(since))),
            self.until.map(|until| format!("accepted before {}", moment::text(until))),
        ];
        words.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// What is to become of a part of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum QueueOrder {
    /// What waits is held until it is released, and so is what something else holds that ends by itself.
    Hold,
    /// What the operator holds is due now.
    Release,
    /// What waits is tried now.
    Retry,
    /// It becomes hard bounces.
    Cancel {
        /// Whether the senders who want to be are told.
        notify: bool,
    },
    /// It goes another way from now on.
    Reroute {
        /// The next hop of a route, `host:port`; `mx`: the mail servers of its domain; none: as the routes say.
        to: Option<String>,
    },
}

impl QueueOrder {
    /// The action in the audit log.
    pub fn action(&self) -> &'static str {
        match self {
            QueueOrder::Hold => "queue.hold",
            QueueOrder::Release => "queue.release",
            QueueOrder::Retry => "queue.retry",
            QueueOrder::Cancel { .. } => "queue.cancel",
            QueueOrder::Reroute { .. } => "queue.reroute",
        }
    }

    /// Whether a recipient in this state is one that it is about.
    pub fn wants(&self, state: &RecipientState) -> bool {
        match self {
            QueueOrder::Hold => match state {
                RecipientState::Waiting { .. } => true,
                RecipientState::Held { reason, .. } => HoldReason::Operator.outlasts(*reason),
                RecipientState::Settled => false,
            },
            QueueOrder::Retry => matches!(state, RecipientState::Waiting { .. }),
            QueueOrder::Release => matches!(state, RecipientState::Held { reason: HoldReason::Operator, .. }),
            QueueOrder::Cancel { .. } | QueueOrder::Reroute { .. } => *state != RecipientState::Settled,
        }
    }
}

/// The filter of what somebody names.
///
/// # Errors
/// Nothing is named, or what is does not exist.
pub fn queue_filter(book: &impl Book, selection: &Selection, scope: Scope) -> Result<Filter, Fault> {
    let account = selection.account.map(|account| account_find(book, Id::new(account))).transpose()?;
    let domain = selection.domain.as_deref().map(|domain| domain_find(book, domain, scope)).transpose()?;
    let user = selection.user.as_deref().map(|user| user_find(book, user, scope)).transpose()?;
    let recipient = selection.recipient.as_deref().map(|given| {
        Whom::parse(given).ok_or_else(|| {
            Fault::invalid(format!("`{given}` is no recipient."), "Give an address, or `@` and a domain.")
                .named("queue-recipient-wrong", &[("recipient", &given)])
        })
    });
    let filter = Filter {
        account: account.map(|account| account.id),
        // a user's mail is its domain's: the index of the queue knows that
        domain: domain.map(|domain| domain.id).or(user.as_ref().map(|user| user.domain)),
        user: user.map(|user| user.id),
        recipient: recipient.transpose()?,
        since: selection.since,
        until: selection.until,
    };
    if filter.is_empty() {
        return Err(Fault::invalid(
            "This is about no part of the queue.",
            "Name an account, a domain, an SMTP user, a recipient or an age. All that is there now was accepted before now.",
        )
        .named("queue-part-none", &[]));
    }
    Ok(filter)
}

/// The way that somebody names for waiting mail.
///
/// # Errors
/// There is no route to such a next hop.
pub fn queue_via(routes: &Routes, to: Option<&str>) -> Result<Via, Fault> {
    match to.map(str::trim).filter(|to| !to.is_empty()) {
        None => Ok(Via::Usual),
        Some(to) if to.eq_ignore_ascii_case("mx") => Ok(Via::Mx),
        Some(to) if routes.named(to).is_some() => Ok(Via::Route(to.to_owned())),
        Some(to) => {
            let known = (0..routes.iter().count()).map(|index| routes.site(&Destination::Route { index }));
            let known: Vec<_> = known.chain(["mx".to_owned()]).collect();
            Err(Fault::invalid(format!("There is no route to `{to}`."), format!("There are: {}.", known.join(", ")))
                .named("route-none", &[("route", &to), ("routes", &known.join(", "))]))
        }
    }
}
