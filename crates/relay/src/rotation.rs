//! Automatic rotation of DKIM keys between the two selectors of an algorithm: where each stands, and what comes next.
//!
//! A key signs for a period. Then the other selector's takes its place, once its record was seen in DNS for long enough
//! that nobody remembers what was there before. The one that signed stays published until nothing signed by it can
//! still be on its way; then a new key is made for its selector, and waits for its own turn. All of it follows from what
//! is kept with the keys: a relay that starts goes on where it was.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::limits::Limits;
use crate::sending_domain::{DkimKey, DomainState, KeyAlgorithm, SendingDomain};
use crate::verification;

/// How long after the last retry of ours a key stays published that signs no more: as long as the next server may retry
/// (RFC 5321 §4.5.4.1), and two days.
pub const MARGIN: Duration = Duration::from_secs(7 * 86_400);

/// How long the record of a new key has to have been there: what others keep of the one before is over then.
pub const SPREAD: Duration = Duration::from_secs(2 * 86_400);

/// How old the look may be that a key begins to sign by.
pub const LOOK_FOR: Duration = Duration::from_secs(3600);

/// How keys follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long a key signs.
    period: Duration,
    /// How long it stays as it is afterwards.
    rest: Duration,
}

impl Pace {
    /// By the limits (`dkim_rotation_days`), for mail that is retried for so long at the most; none: keys change only where
    /// somebody asks.
    pub fn new(limits: &Limits, longest_retry: Duration) -> Option<Pace> {
        let period = Duration::from_secs(limits.dkim_rotation_days * 86_400);
        (!period.is_zero()).then_some(Pace { period, rest: longest_retry + MARGIN })
    }
}

/// Where the two keys of an algorithm stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// The other key is ready: it signs from then on.
    Signing {
        /// When.
        until: Timestamp,
    },
    /// The key that signed before stays as it is: mail signed by it may be on its way.
    Resting {
        /// Until when.
        until: Timestamp,
    },
    /// Its rest is over: a new key is made in its place.
    Renewing,
    /// The record of the key that is to sign next is not in DNS.
    Awaited {
        /// When it was to sign from.
        due: Timestamp,
    },
    /// The domain's other records have to be right first.
    Held,
    /// It is time, and DNS has to be asked once more.
    Looking,
    /// The other key signs from now on.
    Due,
}

/// What is to be done about a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask DNS.
    Look,
    /// The other key of this algorithm signs from now on.
    Move(KeyAlgorithm),
    /// A new key is made in the place of the one of this selector, which signs no more.
    Renew {
        /// Whose.
        selector: String,
        /// Of which algorithm.
        algorithm: KeyAlgorithm,
        /// When it ended to sign.
        ended_at: Timestamp,
    },
}

/// The key that signs and the one that waits. None where there are not two, or the first was never seen in DNS: nothing is
/// verified by it.
pub fn pair(domain: &SendingDomain, algorithm: KeyAlgorithm) -> Option<(&DkimKey, &DkimKey)> {
    let of = |active| domain.keys.iter().find(|key| key.algorithm == algorithm && key.active == active);
    of(true).filter(|key| key.seen_at.is_some()).zip(of(false))
}

/// Since when a key signs: since it was moved to, or first seen.
pub fn since(key: &DkimKey) -> Option<Timestamp> {
    key.moved_at.or(key.seen_at).filter(|_| key.active)
}

/// Where the keys of an algorithm stand; none where nothing is rotated.
pub fn stage(domain: &SendingDomain, algorithm: KeyAlgorithm, pace: Pace, now: Timestamp) -> Option<Stage> {
    let (active, spare) = pair(domain, algorithm).filter(|_| domain.deleted_at.is_none())?;
    if let Some(ended) = spare.moved_at {
        let until = ended.after(pace.rest);
        return Some(if now < until { Stage::Resting { until } } else { Stage::Renewing });
    }
    let due = since(active)?.after(pace.period);
    let Some(seen) = spare.seen_at.filter(|_| verification::is_there(domain, spare)) else {
        return Some(Stage::Awaited { due });
    };
    // one that came with its domain has nothing before it that could be remembered
    let spread = if spare.made_at.is_some() { seen.after(SPREAD) } else { seen };
    let until = due.max(spread);
    let is_fresh = domain.check.as_ref().is_some_and(|check| now.since(check.at) < LOOK_FOR);
    Some(match domain.state {
        _ if now < until => Stage::Signing { until },
        DomainState::Validated | DomainState::Vouched if is_fresh => Stage::Due,
        DomainState::Validated | DomainState::Vouched => Stage::Looking,
        _ => Stage::Held,
    })
}

/// What is to be done about a domain now, a step for each algorithm at the most. It is asked again after each, and what is
/// done twice does no harm.
pub fn steps(domain: &SendingDomain, pace: Pace, now: Timestamp) -> Vec<Step> {
    let of = |algorithm| {
        let (_, spare) = pair(domain, algorithm)?;
        match stage(domain, algorithm, pace, now)? {
            Stage::Looking => Some(Step::Look),
            Stage::Due => Some(Step::Move(algorithm)),
            Stage::Renewing => {
                Some(Step::Renew { selector: spare.selector.clone(), algorithm, ended_at: spare.moved_at? })
            }
            Stage::Signing { .. } | Stage::Resting { .. } | Stage::Awaited { .. } | Stage::Held => None,
        }
    };
    KeyAlgorithm::ALL.into_iter().filter_map(of).collect()
}

/// The key whose missing record keeps this domain's keys from changing, though it is time.
pub fn overdue(domain: &SendingDomain, pace: Pace, now: Timestamp) -> Option<&DkimKey> {
    let is_late = |algorithm: &KeyAlgorithm| matches!(stage(domain, *algorithm, pace, now), Some(Stage::Awaited { due }) if due <= now);
    KeyAlgorithm::ALL.into_iter().find(is_late).and_then(|algorithm| pair(domain, algorithm)).map(|(_, spare)| spare)
}

/// Whether a seal was made by a key that another has taken the place of since its message was accepted: nobody could
/// verify it any more.
pub fn is_stale(seal: &[u8], domain: &SendingDomain, accepted_at: Timestamp) -> bool {
    let mut renewed = domain.keys.iter().filter(|key| key.made_at.is_some_and(|at| at > accepted_at));
    renewed.any(|key| {
        let tag = format!("s={};", key.selector);
        seal.windows(tag.len()).any(|octets| octets == tag.as_bytes())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
