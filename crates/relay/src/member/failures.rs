//! Sign-ins to the console that failed: what is kept of them, a bounded part for each member, whatever is tried.

use std::cmp::Reverse;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Member;
use crate::clock::Timestamp;
use crate::id::Id;

/// Places that are kept apart for each member and kind of failure; those whose failures are the longest ago are counted
/// together. Each kind has its own, so that no number of guessed passwords hides that somebody knew the right one.
pub const PLACES_MAX: usize = 20;

/// Sign-ins of a member that wait for their one-time code at once; those beyond count as failed.
pub const WAITING_MAX: usize = 10;

/// What a sign-in failed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInFailure {
    /// The password was wrong.
    WrongPassword,
    /// The password was right, the one-time code wrong.
    WrongCode,
    /// The password was right, and no one-time code came.
    NoCode,
}

/// Failures alike of one member's sign-ins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedSignIns {
    /// Whose.
    pub member: Id<Member>,
    /// By what.
    pub failure: SignInFailure,
    /// From where: an IPv4 address or the first of a /64; none: from places that are no longer kept apart.
    pub place: Option<IpAddr>,
    /// How many.
    pub count: u64,
    /// When the first of them was.
    pub first_at: Timestamp,
    /// When the last was.
    pub last_at: Timestamp,
}

impl FailedSignIns {
    fn add(&mut self, more: &FailedSignIns) {
        self.count = self.count.saturating_add(more.count);
        self.first_at = self.first_at.min(more.first_at);
        self.last_at = self.last_at.max(more.last_at);
    }

    fn is_like(&self, other: &FailedSignIns) -> bool {
        (self.failure, self.place) == (other.failure, other.place)
    }
}

/// The latest first; of one moment in an order of their own.
pub fn order(one: &FailedSignIns) -> (Reverse<Timestamp>, SignInFailure, Option<IpAddr>) {
    (Reverse(one.last_at), one.failure, one.place)
}

/// Adds failures to all those that are kept of the same member.
pub fn add(kept: &mut Vec<FailedSignIns>, more: &FailedSignIns) {
    match kept.iter_mut().find(|known| known.is_like(more)) {
        Some(known) => known.add(more),
        None => kept.push(*more),
    }
    let is_apart = |one: &FailedSignIns| one.failure == more.failure && one.place.is_some();
    while kept.iter().filter(|one| is_apart(one)).count() > PLACES_MAX {
        let apart = kept.iter().enumerate().filter(|(_, one)| is_apart(one));
        let Some((oldest, _)) = apart.min_by_key(|(_, one)| (one.last_at, one.place)) else { return };
        let left = FailedSignIns { place: None, ..kept.swap_remove(oldest) };
        match kept.iter_mut().find(|known| known.is_like(&left)) {
            Some(known) => known.add(&left),
            None => kept.push(left),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn failed(failure: SignInFailure, place: u8, at: u64) -> FailedSignIns {
        let place = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, place)));
        FailedSignIns { member: Id::new(1), failure, place, count: 1, first_at: Timestamp(at), last_at: Timestamp(at) }
    }

    #[test]
    fn failures_alike_are_one_with_a_count() {
        let mut kept = Vec::new();
        for (failure, place, at) in [
            (SignInFailure::WrongPassword, 1, 10),
            (SignInFailure::WrongPassword, 1, 30),
            (SignInFailure::WrongPassword, 1, 20),
            (SignInFailure::WrongCode, 1, 40),
            (SignInFailure::WrongPassword, 2, 50),
        ] {
            add(&mut kept, &failed(failure, place, at));
        }
        let shown: Vec<_> = kept.iter().map(|one| (one.failure, one.count, one.first_at.0, one.last_at.0)).collect();
        assert_eq!(
            shown,
            [
                (SignInFailure::WrongPassword, 3, 10, 30),
                (SignInFailure::WrongCode, 1, 40, 40),
                (SignInFailure::WrongPassword, 1, 50, 50)
            ]
        );
    }

    #[test]
    fn no_number_of_places_is_kept_and_none_hides_another_kind() {
        let mut kept = Vec::new();
        add(&mut kept, &failed(SignInFailure::WrongCode, 9, 1));
        for place in 0..200 {
            add(&mut kept, &failed(SignInFailure::WrongPassword, place, 100 + u64::from(place)));
        }
        assert_eq!(kept.len(), PLACES_MAX + 2, "the newest, the rest together, and the code");
        assert!(kept.iter().any(|one| one.failure == SignInFailure::WrongCode));
        let rest = kept.iter().find(|one| one.place.is_none()).copied();
        let expected = FailedSignIns {
            place: None,
            count: 200 - PLACES_MAX as u64,
            last_at: Timestamp(299 - PLACES_MAX as u64),
            ..failed(SignInFailure::WrongPassword, 0, 100)
        };
        assert_eq!(rest, Some(expected));
        assert_eq!(kept.iter().map(|one| one.count).sum::<u64>(), 201, "none is forgotten");
        // a place that comes again begins anew
        add(&mut kept, &failed(SignInFailure::WrongPassword, 0, 900));
        assert_eq!(kept.len(), PLACES_MAX + 2);
        assert!(kept.iter().any(|one| one.last_at == Timestamp(900) && one.place.is_some() && one.count == 1));
    }
}
