//! A map that is copied in parts: a copy shares them all, and a change to it copies the one part that it is in.
//!
//! The directory is a new one after each change, so what a change costs must not grow with all that is in it.

use std::borrow::Borrow;
use std::collections::{HashMap, hash_map};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::iter::FlatMap;
use std::ops::Index;
use std::sync::Arc;

/// A map whose copies share what is the same in them. It has `PARTS` parts: with 256, one has some two hundred of fifty
/// thousand entries.
pub struct Sharded<K, V, const PARTS: usize = 256> {
    parts: Box<[Arc<HashMap<K, V>>]>,
    len: usize,
}

type Parts<'m, K, V> = std::slice::Iter<'m, Arc<HashMap<K, V>>>;

/// What is in a map, in no order.
pub type Iter<'m, K, V> = FlatMap<Parts<'m, K, V>, hash_map::Iter<'m, K, V>, OfPart<'m, K, V>>;

/// The entries of one part.
type OfPart<'m, K, V> = fn(&'m Arc<HashMap<K, V>>) -> hash_map::Iter<'m, K, V>;

/// The part that a key is in: the same for the same key, in every map.
fn part_of<const PARTS: usize>(key: &(impl Hash + ?Sized)) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    // the remainder is below the number of parts
    (hasher.finish() % PARTS as u64) as usize
}

impl<K, V, const PARTS: usize> Sharded<K, V, PARTS> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Every entry, in no order.
    pub fn iter<'m>(&'m self) -> Iter<'m, K, V> {
        let of: OfPart<'m, K, V> = |part| part.iter();
        self.parts.iter().flat_map(of)
    }

    /// Every key, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// Every value, in no order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

impl<K: Eq + Hash, V, const PARTS: usize> Sharded<K, V, PARTS> {
    /// The value of a key.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.parts[part_of::<PARTS>(key)].get(key)
    }

    /// Whether there is such a key.
    pub fn contains_key<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }
}

impl<K: Eq + Hash + Clone, V: Clone, const PARTS: usize> Sharded<K, V, PARTS> {
    /// Puts a value there; the one that was there before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let before = Arc::make_mut(&mut self.parts[part_of::<PARTS>(&key)]).insert(key, value);
        self.len += usize::from(before.is_none());
        before
    }

    /// Takes a value away.
    pub fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let part = &mut self.parts[part_of::<PARTS>(key)];
        // what is not there copies nothing
        part.get(key)?;
        self.len -= 1;
        Arc::make_mut(part).remove(key)
    }

    /// The value of a key, to be changed in place.
    pub fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let part = &mut self.parts[part_of::<PARTS>(key)];
        part.get(key)?;
        Arc::make_mut(part).get_mut(key)
    }
}

impl<K, V, const PARTS: usize> Clone for Sharded<K, V, PARTS> {
    fn clone(&self) -> Self {
        Sharded { parts: self.parts.clone(), len: self.len }
    }
}

impl<K, V, const PARTS: usize> Default for Sharded<K, V, PARTS> {
    fn default() -> Self {
        // one empty part stands for all until something is put in
        let empty = Arc::new(HashMap::new());
        Sharded { parts: vec![empty; PARTS].into_boxed_slice(), len: 0 }
    }
}

impl<K: Eq + Hash, V: PartialEq, const PARTS: usize> PartialEq for Sharded<K, V, PARTS> {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl<K: Eq + Hash, V: Eq, const PARTS: usize> Eq for Sharded<K, V, PARTS> {}

impl<K: fmt::Debug, V: fmt::Debug, const PARTS: usize> fmt::Debug for Sharded<K, V, PARTS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Eq + Hash + Clone, V: Clone, const PARTS: usize> FromIterator<(K, V)> for Sharded<K, V, PARTS> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Sharded::default();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl<'m, K, V, const PARTS: usize> IntoIterator for &'m Sharded<K, V, PARTS> {
    type Item = (&'m K, &'m V);
    type IntoIter = Iter<'m, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: Eq + Hash + Borrow<Q>, V, Q: Eq + Hash + ?Sized, const PARTS: usize> Index<&Q> for Sharded<K, V, PARTS> {
    type Output = V;

    fn index(&self, key: &Q) -> &V {
        &self.parts[part_of::<PARTS>(key)][key]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Any changes make of it what they make of a plain map, and nothing of a copy made before.
        #[test]
        fn it_is_a_map(changes in proptest::collection::vec((0..40_u64, any::<Option<u8>>()), 0..200), at in 0..200_usize) {
            let (mut sharded, mut plain) = (Sharded::<u64, u8>::default(), HashMap::new());
            let mut copies = (sharded.clone(), plain.clone());
            for (place, (key, value)) in changes.into_iter().enumerate() {
                if place == at {
                    copies = (sharded.clone(), plain.clone());
                }
                match value {
                    Some(value) => prop_assert_eq!(sharded.insert(key, value), plain.insert(key, value)),
                    None => prop_assert_eq!(sharded.remove(&key), plain.remove(&key)),
                }
                prop_assert_eq!((sharded.len(), sharded.get(&key)), (plain.len(), plain.get(&key)));
            }
            for (sharded, plain) in [(sharded, plain), copies] {
                prop_assert_eq!(sharded.iter().map(|(key, value)| (*key, *value)).collect::<HashMap<_, _>>(), plain.clone());
                prop_assert!(sharded == plain.into_iter().collect());
            }
        }
    }

    #[test]
    fn a_change_copies_one_part() {
        let before: Sharded<u64, u64> = (0..10_000).map(|number| (number, number)).collect();
        let mut after = before.clone();
        after.insert(1, 7);
        assert!(after.remove(&20_000).is_none() && after.get_mut(&20_000).is_none());
        let shared = before.parts.iter().zip(&after.parts).filter(|(one, other)| Arc::ptr_eq(one, other)).count();
        assert_eq!((shared, before[&1], after[&1]), (before.parts.len() - 1, 1, 7));
    }
}
