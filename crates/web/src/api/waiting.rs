//! Requests that wait for something to happen: how many at once, in all and with one key.

use relay::api_key::ApiKey;
use relay::id::Id;
use relay::limits::Limits;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::problem::Problem;

/// The counters.
pub(super) struct Waits {
    max: u64,
    key_max: u64,
    taken: Mutex<(u64, HashMap<Id<ApiKey>, u64>)>,
}

/// The place of one that waits, given back when dropped.
pub(super) struct Wait {
    waits: Arc<Waits>,
    key: Id<ApiKey>,
}

impl Waits {
    /// Counters that stand at zero.
    pub(super) fn new(limits: &Limits) -> Waits {
        Waits { max: limits.api_waits_max, key_max: limits.api_key_waits_max, taken: Mutex::default() }
    }

    /// A place for a request with this key, where there is one.
    pub(super) fn take(waits: &Arc<Waits>, key: Id<ApiKey>) -> Result<Wait, Problem> {
        let mut taken = waits.lock();
        let (all, keys) = &mut *taken;
        let of_key = keys.get(&key).copied().unwrap_or_default();
        if of_key >= waits.key_max {
            return Err(Problem::too_many_wait(&format!("With one key at most {} may.", waits.key_max)));
        }
        if *all >= waits.max {
            return Err(Problem::too_many_wait(&format!("Of all keys together at most {} may.", waits.max)));
        }
        *all += 1;
        keys.insert(key, of_key + 1);
        Ok(Wait { waits: Arc::clone(waits), key })
    }

    fn lock(&self) -> MutexGuard<'_, (u64, HashMap<Id<ApiKey>, u64>)> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut taken = self.waits.lock();
        let (all, keys) = &mut *taken;
        *all -= 1;
        if let Some(count) = keys.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                keys.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_given_back() {
        let waits = Arc::new(Waits::new(&Limits { api_waits_max: 5, api_key_waits_max: 3, ..Limits::default() }));
        let [one, other, third] = [1, 2, 3].map(Id::new);
        let mut held: Vec<_> = std::iter::from_fn(|| Waits::take(&waits, one).ok()).collect();
        assert_eq!(held.len(), 3);
        held.extend(std::iter::from_fn(|| Waits::take(&waits, other).ok()));
        assert_eq!(held.len(), 5, "room in all is what is left");
        let refused = Waits::take(&waits, third).err().unwrap();
        assert_eq!((refused.status, refused.kind.as_str()), (429, "too_many_requests"));
        drop(held);
        assert!(waits.lock().1.is_empty() && waits.lock().0 == 0);
    }
}
