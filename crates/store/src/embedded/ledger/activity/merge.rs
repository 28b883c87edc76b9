//! Parts of the search index become fewer as they grow old, so that a search has few to look into: adjacent ones become one, by
//! their sorted keys alone, and a large one that lost rows is made anew without them.
//!
//! That takes many steps of some milliseconds, each a transaction. What is made is loose until it is whole; the last step puts
//! it into the place of what it was made of. Killed in between, it is begun anew.

use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::postings::{Cursor, Entry, Packer};
use super::{loose, parts};
use parts::{KINDS, Part};

/// Adjacent parts that become one.
const FAN: usize = 8;
/// How often a part is merged. Of a frequent key all places in a part are read before the first row is told: among a million rows
/// that would be longer than the further level saves.
const LEVEL_MAX: u8 = 1;
/// Pages that are read or deleted in one step: some milliseconds.
const PAGES_MAX: usize = 200;

/// Keeps the parts few and true, a step at a time.
pub(super) struct Merges {
    /// Adjacent parts that become one.
    pub(super) fan: usize,
    /// Pages that are read or deleted in one step.
    pub(super) pages: usize,
    under_way: Option<Merge>,
}

impl Merges {
    /// Nothing is under way.
    pub(super) fn new() -> Self {
        Merges { fan: FAN, pages: PAGES_MAX, under_way: None }
    }

    /// What an idle moment is good for: a step towards fewer parts. Returns whether there was one to do.
    pub(super) fn step(&mut self, writer: &Transaction<'_>) -> rusqlite::Result<bool> {
        if self.go_on(writer)? || loose::forget_some(writer, self.pages)? {
            return Ok(true);
        }
        let whole = parts::whole(writer)?;
        let Some(sources) = due(&whole, self.fan) else { return Ok(false) };
        self.under_way = Some(Merge::begin(writer, sources)?);
        Ok(true)
    }

    /// A step towards an index that tells of nothing that is gone. Returns whether there was one to do.
    pub(super) fn renew(&mut self, writer: &Transaction<'_>) -> rusqlite::Result<bool> {
        if self.go_on(writer)? {
            return Ok(true);
        }
        match parts::stale(writer)? {
            Some(part) if part.level == 0 => parts::renew(writer, part)?,
            Some(part) => self.under_way = Some(Merge::renewing(writer, part)?),
            None => return loose::forget_some(writer, self.pages),
        }
        Ok(true)
    }

    /// A step of what is under way. One that fails ends it.
    fn go_on(&mut self, writer: &Transaction<'_>) -> rusqlite::Result<bool> {
        let Some(mut merge) = self.under_way.take() else { return Ok(false) };
        if merge.step(writer, self.pages)? {
            self.under_way = Some(merge);
        }
        Ok(true)
    }

    /// The last step was rolled back: what is known of what is under way is not so.
    pub(super) fn give_up(&mut self) {
        self.under_way = None;
    }
}

/// The oldest adjacent parts of one level that are to become one.
fn due(parts: &[Part], fan: usize) -> Option<&[Part]> {
    let is_run = |run: &&[Part]| {
        let (first, last) = (run[0], run[run.len() - 1]);
        first.level < LEVEL_MAX
            && run.windows(2).all(|two| two[0].level == two[1].level && two[0].last + 1 == two[1].first)
            && u32::try_from(last.last - first.first).is_ok()
    };
    parts.windows(fan).find(is_run)
}

/// One on its way.
struct Merge {
    sources: Vec<Source>,
    /// What becomes of them.
    target: Part,
    /// The mark that the sources have, unless they were changed.
    mark: u8,
    /// Which places there still are, a bit for each; none: all.
    there: Option<Vec<u64>>,
    /// Of which kind keys are read now.
    kind: u8,
    packer: Packer,
}

/// A part that is merged, read page by page.
struct Source {
    part: Part,
    /// Its first row's place in the target.
    shift: Entry,
    /// The first key of the page that is read.
    page: Option<Vec<u8>>,
    cursor: Cursor,
    /// Whether the cursor stands at a key.
    is_at_key: bool,
}

/// Marks of a part: nothing is gone from it; something is, and it is being made anew.
const WHOLE: u8 = 0;
const RENEWED: u8 = 2;

impl Merge {
    /// Of adjacent parts one of the level above.
    fn begin(writer: &Connection, sources: &[Part]) -> rusqlite::Result<Self> {
        let (first, last) = (sources[0], sources[sources.len() - 1]);
        let groups = sources.iter().map(|part| part.groups).sum();
        let target = Part { groups, last: last.last, level: first.level + 1, ..first };
        Merge::of(writer, sources, target, WHOLE, None)
    }

    /// Of one that lost rows the same without them.
    fn renewing(writer: &Connection, part: Part) -> rusqlite::Result<Self> {
        writer.prepare_cached("UPDATE parts SET stale = ?2 WHERE last = ?1")?.execute((part.last, RENEWED))?;
        let mut query = writer.prepare_cached("SELECT row FROM row_groups WHERE row BETWEEN ?1 AND ?2")?;
        let mut rows = query.query((part.first, part.last))?;
        let (mut there, mut groups) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let place = usize::try_from(row.get::<_, u64>(0)? - part.first).unwrap_or(usize::MAX);
            if there.len() <= place / 64 {
                there.resize(place / 64 + 1, 0);
            }
            there[place / 64] |= 1 << (place % 64);
            groups += 1;
        }
        Merge::of(writer, &[part], Part { groups, ..part }, RENEWED, Some(there))
    }

    fn of(
        writer: &Connection,
        sources: &[Part],
        target: Part,
        mark: u8,
        there: Option<Vec<u64>>,
    ) -> rusqlite::Result<Self> {
        let postings = parts::new_postings(writer)?;
        loose::add(writer, postings)?;
        let source = |part: &Part| Source {
            part: *part,
            shift: u32::try_from(part.first - target.first).unwrap_or(u32::MAX),
            page: None,
            cursor: Cursor::default(),
            is_at_key: false,
        };
        let mut sources: Vec<Source> = sources.iter().map(source).collect();
        for source in &mut sources {
            source.next(writer, 0, &mut 0)?;
        }
        Ok(Merge { sources, target: Part { postings, ..target }, mark, there, kind: 0, packer: Packer::default() })
    }

    /// Reads about so many pages and writes what becomes of them. Returns whether there is more to do; where something was
    /// changed meanwhile there is not, and what was made is left to be deleted.
    fn step(&mut self, writer: &Transaction<'_>, pages: usize) -> rusqlite::Result<bool> {
        if !self.is_of_use(writer)? {
            return Ok(false);
        }
        let mut read = 0;
        while read < pages {
            if self.next_key(writer, &mut read)? {
                continue;
            }
            if let Some(page) = self.packer.finish() {
                parts::write_page(writer, self.target.postings, self.kind, page)?;
            }
            self.kind += 1;
            if self.kind == KINDS {
                self.take_place(writer)?;
                return Ok(false);
            }
            for source in &mut self.sources {
                source.next(writer, self.kind, &mut read)?;
            }
        }
        Ok(true)
    }

    /// Whether the sources are as they were, and nothing was erased that the target may have.
    fn is_of_use(&self, reader: &Connection) -> rusqlite::Result<bool> {
        let mut query = reader.prepare_cached("SELECT postings, stale FROM parts WHERE last = ?1")?;
        for Source { part, .. } in &self.sources {
            let known = query.query_row([part.last], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            if known != Some((part.postings, self.mark)) {
                return Ok(false);
            }
        }
        loose::may_be_kept(reader, self.target.postings)
    }

    /// The lowest key that a source stands at goes into the target, with its places in all of them. Returns whether there
    /// was one.
    fn next_key(&mut self, writer: &Connection, read: &mut usize) -> rusqlite::Result<bool> {
        let at_key = self.sources.iter().filter(|source| source.is_at_key);
        let Some(key) = at_key.map(|source| &source.cursor.key).min().cloned() else { return Ok(false) };
        let there = self.there.as_deref();
        let is_there = |place: &Entry| {
            let place = *place as usize;
            there.is_none_or(|there| there.get(place / 64).is_some_and(|bits| bits >> (place % 64) & 1 == 1))
        };
        let mut places = Vec::new();
        for source in self.sources.iter_mut().filter(|source| source.is_at_key && source.cursor.key == key) {
            places.extend(source.cursor.places.iter().map(|place| place.saturating_add(source.shift)).filter(is_there));
            source.next(writer, self.kind, read)?;
        }
        if !places.is_empty()
            && let Some(page) = self.packer.add(&key, places.into_iter())
        {
            parts::write_page(writer, self.target.postings, self.kind, page)?;
        }
        Ok(true)
    }

    /// The target takes the place of the sources, whose postings are loose from now on.
    fn take_place(&self, writer: &Connection) -> rusqlite::Result<()> {
        for Source { part, .. } in &self.sources {
            writer.prepare_cached("DELETE FROM parts WHERE last = ?1")?.execute([part.last])?;
            loose::add(writer, part.postings)?;
        }
        parts::insert(writer, self.target)?;
        loose::keep(writer, self.target.postings)
    }
}

impl Source {
    /// Goes to its next key of a kind, in the next page where it has to.
    fn next(&mut self, reader: &Connection, kind: u8, read: &mut usize) -> rusqlite::Result<()> {
        loop {
            self.is_at_key = self.cursor.step()?;
            if self.is_at_key {
                return Ok(());
            }
            let next = match &self.page {
                None => {
                    "SELECT key, body FROM postings WHERE part = ?1 AND kind = ?2 AND key >= ?3 ORDER BY key LIMIT 1"
                }
                Some(_) => {
                    "SELECT key, body FROM postings WHERE part = ?1 AND kind = ?2 AND key > ?3 ORDER BY key LIMIT 1"
                }
            };
            let behind = self.page.as_deref().unwrap_or_default();
            let mut query = reader.prepare_cached(next)?;
            let page = query.query_row((self.part.postings, kind, behind), |row| Ok((row.get(0)?, row.get(1)?)));
            *read += 1;
            match page.optional()? {
                Some((first, body)) => (self.page, self.cursor) = (Some(first), Cursor::new(body)),
                None => {
                    (self.page, self.cursor) = (None, Cursor::default());
                    return Ok(());
                }
            }
        }
    }
}
