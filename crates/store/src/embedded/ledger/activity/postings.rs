//! Keys and the groups that they are in, packed: keys in order, each as what differs from the one before, with the
//! places of its groups, each as the distance from the one before.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Error;

/// A group's place in its part.
pub(super) type Entry = u32;

/// Octets of a key; what is longer is found by its beginning.
pub(super) const KEY_OCTETS_MAX: usize = 255;
/// A page of keys is full with so many octets.
const PAGE_OCTETS: usize = 3900;

/// Keys in any order, with places that only grow.
#[derive(Default)]
pub(super) struct Keys {
    octets: Vec<u8>,
    /// The first octets of the key as a number, by which most keys differ; where it is; its place.
    entries: Vec<(u64, u32, u8, Entry)>,
    /// The last domain that was added, and where.
    domain: (Vec<u8>, Option<Entry>),
}

impl Keys {
    /// Adds a key.
    pub(super) fn add(&mut self, key: &[u8], place: Entry) {
        let key = &key[..key.len().min(KEY_OCTETS_MAX)];
        let at = u32::try_from(self.octets.len()).unwrap_or(u32::MAX);
        let mut first = [0; 8];
        let known = key.len().min(first.len());
        first[..known].copy_from_slice(&key[..known]);
        self.octets.extend_from_slice(key);
        self.entries.push((u64::from_be_bytes(first), at, key.len() as u8, place));
    }

    /// Adds an address and its `@domain`, in small letters.
    pub(super) fn add_address(&mut self, address: &str, place: Entry) {
        let address = address.to_ascii_lowercase();
        self.add(address.as_bytes(), place);
        let Some(domain) = address.rfind('@').map(|at| &address.as_bytes()[at..]) else { return };
        if self.domain.1 != Some(place) || self.domain.0 != domain {
            self.add(domain, place);
            self.domain = (domain.to_owned(), Some(place));
        }
    }

    /// All that were added.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().map(|entry| self.key(entry))
    }

    fn key(&self, entry: &(u64, u32, u8, Entry)) -> &[u8] {
        let at = entry.1 as usize;
        self.octets.get(at..at + usize::from(entry.2)).unwrap_or_default()
    }

    /// In the order of keys, then places.
    fn sorted(mut self) -> Self {
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| self.key(a).cmp(self.key(b))).then_with(|| a.3.cmp(&b.3))
        });
        self.entries = entries;
        self
    }
}

/// Some keys that follow each other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// The first of them.
    pub(super) key: Vec<u8>,
    pub(super) body: Vec<u8>,
}

/// Sorts and packs keys.
pub(super) fn pages(keys: Keys) -> Vec<Page> {
    let keys = keys.sorted();
    let (mut packer, mut pages) = (Packer::default(), Vec::new());
    let same = |a: &(u64, u32, u8, Entry), b: &(u64, u32, u8, Entry)| a.0 == b.0 && keys.key(a) == keys.key(b);
    for entries in keys.entries.chunk_by(same) {
        pages.extend(packer.add(keys.key(&entries[0]), entries.iter().map(|entry| entry.3)));
    }
    pages.extend(packer.finish());
    pages
}

/// Packs keys that come in their order.
#[derive(Default)]
pub(super) struct Packer {
    page: Option<Page>,
    last: Vec<u8>,
    places: Vec<Entry>,
}

impl Packer {
    /// Adds a key with its places, which only grow. Returns the page before it, where that is full.
    pub(super) fn add(&mut self, key: &[u8], places: impl Iterator<Item = Entry>) -> Option<Page> {
        let full = self.page.take_if(|page| page.body.len() >= PAGE_OCTETS);
        let page = self.page.get_or_insert_with(|| {
            self.last.clear();
            Page { key: key.to_owned(), body: Vec::with_capacity(PAGE_OCTETS + 512) }
        });
        self.places.clear();
        self.places.extend(places);
        self.places.dedup();
        put_key(&mut page.body, &self.last, key, &self.places);
        self.last.clear();
        self.last.extend_from_slice(key);
        full
    }

    /// The last page.
    pub(super) fn finish(&mut self) -> Option<Page> {
        self.page.take()
    }
}

fn put_key(body: &mut Vec<u8>, last: &[u8], key: &[u8], places: &[Entry]) {
    let shared = last.iter().zip(key).take_while(|(a, b)| a == b).count();
    put(body, shared as u64);
    put(body, (key.len() - shared) as u64);
    body.extend_from_slice(&key[shared..]);
    put(body, places.len() as u64);
    let mut before = 0;
    for place in places {
        put(body, u64::from(place - before));
        before = *place;
    }
}

/// A page that is read key by key.
#[derive(Default)]
pub(super) struct Cursor {
    body: Vec<u8>,
    at: usize,
    /// The key that it stands at.
    pub(super) key: Vec<u8>,
    /// The places of this key.
    pub(super) places: Vec<Entry>,
}

impl Cursor {
    /// Before the first key of a page.
    pub(super) fn new(body: Vec<u8>) -> Self {
        Cursor { body, ..Cursor::default() }
    }

    /// Goes to the next key. Returns whether there is one.
    pub(super) fn step(&mut self) -> rusqlite::Result<bool> {
        let mut rest = &self.body[self.at..];
        if rest.is_empty() {
            return Ok(false);
        }
        take_key(&mut rest, &mut self.key)?;
        self.places.clear();
        each_place(&mut rest, |place| self.places.push(place))?;
        self.at = self.body.len() - rest.len();
        Ok(true)
    }
}

/// Places to be taken out, by their keys.
pub(super) type Gone = BTreeMap<Vec<u8>, BTreeSet<Entry>>;

/// What is left of a page without some places of some keys: one page, or none.
pub(super) fn without(body: Vec<u8>, gone: &Gone) -> rusqlite::Result<Vec<Page>> {
    let (mut cursor, mut packer, mut left) = (Cursor::new(body), Packer::default(), Vec::new());
    while cursor.step()? {
        if let Some(gone) = gone.get(cursor.key.as_slice()) {
            cursor.places.retain(|place| !gone.contains(place));
        }
        if !cursor.places.is_empty() {
            left.extend(packer.add(&cursor.key, cursor.places.iter().copied()));
        }
    }
    left.extend(packer.finish());
    Ok(left)
}

/// Tells the places of a page's keys from one on and before another.
pub(super) fn groups_of(
    page: &[u8],
    keys: &std::ops::Range<Vec<u8>>,
    tell: &mut impl FnMut(Entry),
) -> rusqlite::Result<()> {
    walk(page, |key| (key < keys.end.as_slice(), key >= keys.start.as_slice()), &mut |_, place| tell(place))
}

/// Tells every key of a page with each of its places.
pub(super) fn each_entry(page: &[u8], tell: &mut impl FnMut(&[u8], Entry)) -> rusqlite::Result<()> {
    walk(page, |_| (true, true), tell)
}

/// Goes through the keys of a page. `meant` says of each whether it is one to stop at no more, and whether it is told.
fn walk(
    mut page: &[u8],
    meant: impl Fn(&[u8]) -> (bool, bool),
    tell: &mut impl FnMut(&[u8], Entry),
) -> rusqlite::Result<()> {
    let mut key = Vec::new();
    while !page.is_empty() {
        take_key(&mut page, &mut key)?;
        let (goes_on, is_meant) = meant(&key);
        if !goes_on {
            break;
        }
        each_place(&mut page, |place| {
            if is_meant {
                tell(&key, place);
            }
        })?;
    }
    Ok(())
}

/// The next key of a page takes the place of the one before it.
fn take_key(page: &mut &[u8], key: &mut Vec<u8>) -> rusqlite::Result<()> {
    let (shared, more) = (take(page)?, take(page)?);
    if shared > key.len() || more > page.len() {
        return Err(damaged());
    }
    key.truncate(shared);
    key.extend_from_slice(&page[..more]);
    *page = &page[more..];
    Ok(())
}

/// Tells the places that follow a key.
fn each_place(page: &mut &[u8], mut tell: impl FnMut(Entry)) -> rusqlite::Result<()> {
    let mut place = 0;
    for _ in 0..take(page)? {
        place += take(page)?;
        tell(u32::try_from(place).map_err(|_| damaged())?);
    }
    Ok(())
}

fn damaged() -> Error {
    Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, "a page of the search index is damaged".into())
}

/// A number, seven bits an octet, the lowest first.
fn put(body: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        body.push(number as u8 | 0x80);
        number >>= 7;
    }
    body.push(number as u8);
}

fn take(body: &mut &[u8]) -> rusqlite::Result<usize> {
    let mut number = 0;
    for shift in (0..35).step_by(7) {
        let (octet, rest) = body.split_first().ok_or_else(damaged)?;
        *body = rest;
        number |= usize::from(octet & 0x7f) << shift;
        if octet & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(damaged())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(pages: &[Page], keys: &std::ops::Range<Vec<u8>>) -> BTreeSet<Entry> {
        let mut found = BTreeSet::new();
        for page in pages {
            groups_of(&page.body, keys, &mut |place| {
                found.insert(place);
            })
            .unwrap();
        }
        found
    }

    proptest! {
        #[test]
        fn every_key_is_found_where_it_was_put(
            texts in proptest::collection::vec("[a-c]{0,6}", 0..2000),
            from in "[a-c]{0,3}",
        ) {
            let mut keys = Keys::default();
            (0..).zip(&texts).for_each(|(place, text)| keys.add(text.as_bytes(), place));
            let pages = pages(keys);
            prop_assert!(pages.windows(2).all(|two| two[0].key < two[1].key));
            let range = from.clone().into_bytes()..[from.as_bytes(), &[0xff]].concat();
            let expected = (0..).zip(&texts).filter(|(_, text)| text.starts_with(&from)).map(|(place, _)| place);
            prop_assert_eq!(found(&pages, &range), expected.collect::<BTreeSet<_>>());
        }

        #[test]
        fn damage_is_told_and_harms_nobody(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut told = 0;
            let _ = groups_of(&octets, &(Vec::new()..vec![0xff; 9]), &mut |_| told += 1);
            prop_assert!(told <= octets.len());
            let mut cursor = Cursor::new(octets);
            while cursor.step().is_ok_and(|goes_on| goes_on) {}
        }

        #[test]
        fn what_is_taken_out_is_gone_and_nothing_else(
            texts in proptest::collection::vec("[a-c]{0,3}", 0..300),
            out in proptest::collection::btree_map("[a-c]{0,3}", proptest::collection::btree_set(0..300_u32, 0..40), 0..9),
        ) {
            let packed = |texts: &mut dyn Iterator<Item = (u32, &String)>| {
                let mut keys = Keys::default();
                texts.for_each(|(place, text)| keys.add(text.as_bytes(), place));
                pages(keys)
            };
            let gone: Gone = out.iter().map(|(key, places)| (key.clone().into_bytes(), places.clone())).collect();
            let is_left = |(place, text): &(u32, &String)| !out.get(*text).is_some_and(|gone| gone.contains(place));
            let before = packed(&mut (0..).zip(&texts));
            prop_assert!(before.len() <= 1, "all of them are one page");
            let left: Vec<Page> = before.into_iter().flat_map(|page| without(page.body, &gone).unwrap()).collect();
            prop_assert_eq!(left, packed(&mut (0..).zip(&texts).filter(is_left)));
        }
    }

    #[test]
    fn an_address_is_found_by_its_domain_once_for_each_group() {
        let mut keys = Keys::default();
        for (address, place) in [("A@Example.org", 0), ("b@example.org", 0), ("c@example.org", 4), ("nobody", 5)] {
            keys.add_address(address, place);
        }
        let pages = pages(keys);
        let domain = b"@example.org".to_vec();
        assert_eq!(found(&pages, &(domain.clone()..[&domain[..], &[0]].concat())), BTreeSet::from([0, 4]));
        assert_eq!(found(&pages, &(b"a@".to_vec()..b"a@\xff".to_vec())), BTreeSet::from([0]));
    }
}
