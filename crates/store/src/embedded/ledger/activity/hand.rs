//! The groups that a batch holds in hand: read where they are needed, changed in memory, written once at its end.

use std::collections::HashMap;

use relay::id::MessageId;
use rusqlite::{OptionalExtension as _, Transaction};

use super::changes;
use super::group::{Event, Facts, Group, Past, Row, packed};
use super::statuses;

/// A group in hand.
pub(super) struct Held {
    /// The number of its first row.
    pub(super) row: u64,
    pub(super) group: Group<String>,
    /// Only with a new one.
    facts: Option<Facts>,
    /// The statuses that the file knows of.
    statuses: u8,
    past: Past,
    is_changed: bool,
}

/// Groups by their message and by their row, and which rows of them were touched, in order.
#[derive(Default)]
pub(super) struct Hand {
    held: Vec<Held>,
    by_message: HashMap<[u8; 16], usize>,
    by_row: HashMap<u64, usize>,
    touches: Vec<(usize, usize)>,
}

impl Hand {
    /// Adds a new group. All its rows are touched. Returns its place.
    pub(super) fn begin(&mut self, row: u64, group: Group<String>, facts: Facts) -> usize {
        let rows = group.rows.len();
        let place = self.keep(Held::new(row, group, facts));
        (0..rows).for_each(|row| self.touch(place, row));
        place
    }

    fn keep(&mut self, held: Held) -> usize {
        let place = self.held.len();
        match held.group.message {
            Some(message) => self.by_message.insert(message, place),
            None => self.by_row.insert(held.row, place),
        };
        self.held.push(held);
        place
    }

    /// The group of a message, from the hand or the file. `restarted` is the change up to which positions are of an
    /// earlier log.
    pub(super) fn of_message(
        &mut self,
        transaction: &Transaction<'_>,
        message: MessageId,
        restarted: u64,
    ) -> rusqlite::Result<Option<usize>> {
        let message = message.0.to_be_bytes();
        if let Some(place) = self.by_message.get(&message) {
            return Ok(Some(*place));
        }
        let mut query = transaction.prepare_cached("SELECT row, statuses, body FROM row_groups WHERE message = ?1")?;
        let found = query.query_row([message], read).optional()?;
        Ok(found.map(|held| self.keep(anew(held, restarted))))
    }

    /// The group of a refusal, by its row.
    pub(super) fn of_row(
        &mut self,
        transaction: &Transaction<'_>,
        row: u64,
        restarted: u64,
    ) -> rusqlite::Result<Option<usize>> {
        if let Some(place) = self.by_row.get(&row) {
            return Ok(Some(*place));
        }
        let mut query = transaction.prepare_cached("SELECT row, statuses, body FROM row_groups WHERE row = ?1")?;
        let found = query.query_row([row], read).optional()?;
        Ok(found.map(|held| self.keep(anew(held, restarted))))
    }

    pub(super) fn group(&mut self, place: usize) -> &mut Group<String> {
        &mut self.held[place].group
    }

    /// A group with the number of its first row.
    pub(super) fn numbered(&self, place: usize) -> (u64, &Group<String>) {
        let held = &self.held[place];
        (held.row, &held.group)
    }

    /// A row is changed: followers are told of it after all that was touched before.
    pub(super) fn touch(&mut self, place: usize, row: usize) {
        let held = &mut self.held[place];
        held.is_changed = true;
        held.group.rows[row].touch = Some(self.touches.len());
        self.touches.push((place, row));
    }

    /// A row has one more event.
    pub(super) fn append(&mut self, place: usize, row: usize, event: Event<String>) {
        self.held[place].append(row, event);
        self.touch(place, row);
    }

    /// Writes all that was changed. Changes are numbered from the one after `change`; returns the last, and that of each
    /// account.
    pub(super) fn finish(
        mut self,
        transaction: &Transaction<'_>,
        change: u64,
    ) -> rusqlite::Result<(u64, HashMap<u64, u64>)> {
        let last = self.number(transaction, change)?;
        let mut accounts = HashMap::new();
        for held in self.held.iter_mut().filter(|held| held.is_changed) {
            held.write(transaction)?;
            let of_account = accounts.entry(held.group.account).or_insert(held.group.change);
            *of_account = held.group.change.max(*of_account);
        }
        Ok((last, accounts))
    }

    /// Gives every touched row the number of its last touch.
    fn number(&mut self, transaction: &Transaction<'_>, change: u64) -> rusqlite::Result<u64> {
        let mut stretch = changes::Stretch::new(change);
        let mut numbers: Vec<Vec<(usize, u64)>> = vec![Vec::new(); self.held.len()];
        for (touch, (place, row)) in self.touches.iter().enumerate() {
            let held = &self.held[*place];
            if held.group.rows[*row].touch == Some(touch) {
                numbers[*place].push((*row, stretch.add(transaction, held.row)?));
            }
        }
        for (held, numbers) in self.held.iter_mut().zip(numbers) {
            held.group.set_changes(&numbers);
        }
        stretch.finish(transaction)
    }
}

/// A stored group: row, statuses, body.
fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Held> {
    Ok(Held {
        row: row.get(0)?,
        group: Group::unpacked(row.get_ref(2)?.as_blob()?)?,
        facts: None,
        statuses: row.get(1)?,
        past: Past::default(),
        is_changed: false,
    })
}

/// Positions that an earlier log gave count for nothing.
fn anew(mut held: Held, restarted: u64) -> Held {
    if held.group.change <= restarted {
        held.group.applied = 0;
    }
    held
}

impl Held {
    /// A new one.
    pub(super) fn new(row: u64, group: Group<String>, facts: Facts) -> Self {
        Held { row, group, facts: Some(facts), statuses: 0, past: Past::default(), is_changed: true }
    }

    /// A row has one more event. Recipients that share it share what is kept of it.
    pub(super) fn append(&mut self, row: usize, event: Event<String>) {
        let is_attempt = event.attempt.is_some();
        let known = self.group.events.iter().rposition(|known| *known == event);
        let place = known.unwrap_or_else(|| {
            self.group.events.push(event);
            self.group.events.len() - 1
        });
        let place = small(place);
        let changed = &mut self.group.rows[row];
        let (last, tried) = (changed.last.map(|place| (changed.events, place)), changed.tried);
        changed.events += 1;
        changed.last = Some(place);
        if is_attempt {
            changed.attempts += 1;
            changed.tried = Some((changed.events, place));
        }
        let kept = changed.tried;
        let known = last.into_iter().chain(tried.filter(|tried| Some(*tried) != last));
        for (number, place) in known.filter(|known| Some(*known) != kept) {
            self.past.add(row, number, &self.group.events[place as usize]);
        }
    }

    /// Writes it, what is new of it and what is past.
    pub(super) fn write(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let statuses = self.group.statuses();
        if !self.past.of.is_empty() {
            self.group.forget_past();
            let mut insert =
                transaction.prepare_cached("INSERT INTO timeline (row, change, body) VALUES (?1, ?2, ?3)")?;
            insert.execute((self.row, self.group.change, packed(&self.past)?))?;
        }
        statuses::change(transaction, self.row, self.statuses, statuses)?;
        let body = self.group.packed()?;
        let Some(facts) = &self.facts else {
            let mut update =
                transaction.prepare_cached("UPDATE row_groups SET statuses = ?2, body = ?3 WHERE row = ?1")?;
            return update.execute((self.row, statuses, body)).map(drop);
        };
        let mut insert = transaction.prepare_cached(
            "INSERT INTO row_groups (row, count, at, account, statuses, message, body, facts)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        let group = &self.group;
        let (count, facts) = (group.rows.len() as u64, facts.packed()?);
        insert.execute((self.row, count, group.at, group.account, statuses, group.message, body, facts)).map(drop)
    }
}

impl Group<String> {
    /// Gives rows, by their places, their new changes.
    fn set_changes(&mut self, changes: &[(usize, u64)]) {
        let Some((_, highest)) = changes.last() else { return };
        let grown = highest - self.change;
        self.change = *highest;
        self.rows.iter_mut().for_each(|row| row.age += grown);
        for (place, change) in changes {
            self.rows[*place].age = highest - change;
        }
    }

    /// Drops the events that no row speaks of any more.
    pub(super) fn forget_past(&mut self) {
        let mut places: Vec<Option<u32>> = vec![None; self.events.len()];
        let mut used = 0;
        let mut moved = |place: &mut u32| {
            *place = *places[*place as usize].get_or_insert_with(|| {
                used += 1;
                used - 1
            });
        };
        for row in &mut self.rows {
            row.last.iter_mut().for_each(&mut moved);
            row.tried.iter_mut().for_each(|(_, place)| moved(place));
        }
        let mut kept: Vec<_> = std::mem::take(&mut self.events).into_iter().zip(places).collect();
        kept.retain(|(_, place)| place.is_some());
        kept.sort_unstable_by_key(|(_, place)| *place);
        self.events = kept.into_iter().map(|(event, _)| event).collect();
    }
}

impl Past {
    fn add(&mut self, row: usize, number: u32, event: &Event<String>) {
        let known = self.events.iter().rposition(|known| known == event);
        let place = known.unwrap_or_else(|| {
            self.events.push(event.clone());
            self.events.len() - 1
        });
        self.of.push((small(row), number, small(place)));
    }
}

/// A place in a list that no message makes longer than 32 bits count.
fn small(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

impl<T> Row<T> {
    /// One that begins, of this recipient.
    pub(super) fn new(recipient: T, sandbox: bool) -> Self {
        Row {
            recipient,
            age: 0,
            events: 0,
            attempts: 0,
            last: None,
            tried: None,
            held: None,
            sandbox,
            refused: None,
            touch: None,
        }
    }
}
