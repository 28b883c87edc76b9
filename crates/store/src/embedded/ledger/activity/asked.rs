//! Which erasure somebody waits for: the thread of activity leaves it to them, so that whoever asks for one that a start
//! resumed is told all that it erased.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::erase::Erasure;

/// The one erasure that is asked for; others wait for their turn.
#[derive(Default)]
pub(crate) struct Asked {
    turn: Mutex<()>,
    now: Mutex<Option<Erasure>>,
}

impl Asked {
    /// Does the work of an erasure that was asked for, once no other is asked for. The thread of activity does no step of
    /// it meanwhile, and may go on with it afterwards.
    pub(crate) fn carry_out<T>(&self, erasure: &Erasure, work: impl FnOnce() -> T) -> T {
        let _turn = locked(&self.turn);
        *locked(&self.now) = Some(erasure.clone());
        let _ends = Ends(self);
        work()
    }

    /// The place of one that nobody waits for.
    pub(super) fn left(&self, erasures: &[Erasure]) -> Option<usize> {
        let now = locked(&self.now);
        erasures.iter().rposition(|erasure| now.as_ref() != Some(erasure))
    }
}

/// Nobody waits any more, however the work ended.
struct Ends<'a>(&'a Asked);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        *locked(&self.0.now) = None;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // what is inside is whole at any moment
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use relay::id::Id;

    use super::*;

    #[test]
    fn what_somebody_waits_for_is_left_to_them_until_they_are_done() {
        let (asked, account) = (Asked::default(), Id::new(1));
        let [anna, bert] = ["anna@example.org", "bert@example.org"].map(|of| Erasure::of(account, of));
        let both = [anna.clone(), bert.clone()];
        assert_eq!(asked.left(&both), Some(1));
        asked.carry_out(&bert, || {
            assert_eq!(asked.left(&both), Some(0));
            assert_eq!(asked.left(std::slice::from_ref(&bert)), None);
        });
        assert_eq!(asked.left(&both), Some(1), "it is anybody's again");
        let ended = catch_unwind(AssertUnwindSafe(|| asked.carry_out(&anna, || panic!("on the way"))));
        assert!(ended.is_err() && asked.left(std::slice::from_ref(&anna)) == Some(0));
    }
}
