//! Shares of what there is only so much of at once, in all and for one key or account: places of requests that wait, octets of
//! bodies that are held, messages on their way.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The counters.
pub(crate) struct Shares<K> {
    max: u64,
    key_max: u64,
    taken: Mutex<(u64, HashMap<K, u64>)>,
}

/// What somebody has, given back when dropped.
pub(crate) struct Share<K: Copy + Eq + Hash> {
    shares: Arc<Shares<K>>,
    key: K,
    count: u64,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// One key has as much as it may, which is this.
    Key(u64),
    /// All together have, which is this.
    All(u64),
}

impl<K: Copy + Eq + Hash> Shares<K> {
    /// Counters that stand at zero.
    pub(crate) fn new(max: u64, key_max: u64) -> Arc<Shares<K>> {
        Arc::new(Shares { max, key_max, taken: Mutex::default() })
    }

    /// So much for a request with this key, where there is as much.
    pub(crate) fn take(shares: &Arc<Shares<K>>, key: K, count: u64) -> Result<Share<K>, Full> {
        let mut taken = shares.lock();
        let (all, keys) = &mut *taken;
        let of_key = keys.get(&key).copied().unwrap_or_default();
        if count > shares.key_max.saturating_sub(of_key) {
            return Err(Full::Key(shares.key_max));
        }
        if count > shares.max.saturating_sub(*all) {
            return Err(Full::All(shares.max));
        }
        *all += count;
        keys.insert(key, of_key + count);
        Ok(Share { shares: Arc::clone(shares), key, count })
    }

    fn lock(&self) -> MutexGuard<'_, (u64, HashMap<K, u64>)> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut taken = self.shares.lock();
        let (all, keys) = &mut *taken;
        *all -= self.count;
        if let Some(count) = keys.get_mut(&self.key) {
            *count -= self.count;
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
    fn shares_are_bounded_and_given_back() {
        let shares = Shares::new(5, 3);
        let [one, other, third] = [1, 2, 3];
        let mut held: Vec<_> = std::iter::from_fn(|| Shares::take(&shares, one, 1).ok()).collect();
        assert_eq!(held.len(), 3);
        assert_eq!(Shares::take(&shares, other, 4).err().unwrap(), Full::Key(3));
        held.extend(std::iter::from_fn(|| Shares::take(&shares, other, 1).ok()));
        assert_eq!(held.len(), 5, "room in all is what is left");
        assert_eq!(Shares::take(&shares, third, 1).err().unwrap(), Full::All(5));
        held.pop();
        assert_eq!(Shares::take(&shares, third, 2).err().unwrap(), Full::All(5));
        held.clear();
        held.push(Shares::take(&shares, third, 3).ok().unwrap());
        drop(held);
        assert!(shares.lock().1.is_empty() && shares.lock().0 == 0);
    }
}
