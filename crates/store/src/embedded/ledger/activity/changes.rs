//! Which rows were changed, in order, for those who follow: stretches of changes with the groups that they are in.

use rusqlite::{Connection, Transaction};

/// A stretch spans no more rows than this, so that what a follower reads for it is bounded.
const SPAN_MAX: u64 = 512;

/// A stretch on its way: groups that follow each other share one.
pub(super) struct Stretch {
    /// The last change given.
    change: u64,
    /// The first rows of its first and last group, and how many changes it has.
    groups: Option<(u64, u64)>,
}

impl Stretch {
    /// Before any, behind this change.
    pub(super) fn new(change: u64) -> Self {
        Stretch { change, groups: None }
    }

    /// A row of this group has changed. Returns the number of the change.
    pub(super) fn add(&mut self, writer: &Transaction<'_>, group: u64) -> rusqlite::Result<u64> {
        self.groups = match self.groups {
            Some((first, last)) if group >= last && group - first < SPAN_MAX => Some((first, group)),
            known => {
                if let Some((first, last)) = known {
                    write(writer, self.change, first, last)?;
                }
                Some((group, group))
            }
        };
        self.change += 1;
        Ok(self.change)
    }

    /// Writes the last one. Returns the last change.
    pub(super) fn finish(self, writer: &Transaction<'_>) -> rusqlite::Result<u64> {
        if let Some((first, last)) = self.groups {
            write(writer, self.change, first, last)?;
        }
        Ok(self.change)
    }
}

/// Keeps that the changes up to this one, and behind the stretch before, are of the groups from `first` to `last`.
pub(super) fn write(writer: &Connection, change: u64, first: u64, last: u64) -> rusqlite::Result<()> {
    let mut insert = writer.prepare_cached("INSERT INTO changes (change, first, last) VALUES (?1, ?2, ?3)")?;
    insert.execute((change, first, last)).map(drop)
}

/// Forgets changes up to this one: their rows are gone.
pub(super) fn forget_until(writer: &Connection, change: u64) -> rusqlite::Result<()> {
    writer.prepare_cached("DELETE FROM changes WHERE change <= ?1")?.execute([change]).map(drop)
}
