//! What counts towards the quotas: a reader of the log, with its sums and its position in `ledger.db`.
//!
//! The sums are primary data, because they decide: they stand beside the accounts, and neither old rows that go nor an
//! `activity.db` that was set aside takes anything from them. They and the position behind them are one transaction,
//! so what was counted is never counted again. Sums are written down once a second at most; what the log tells
//! beyond them is read from there, and the log keeps it until then.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use relay::quota::Charges;
use relay::store::StoreError;

use super::Ledger;
use super::activity::File;
use crate::embedded::OpenError;
use crate::embedded::counting::Counting;
use crate::embedded::spool::{Batch, LogSpool, Position};

/// Events that are read at once.
const EVENTS_MAX: usize = 1024;

/// The reader.
pub(crate) struct Charged {
    ledger: Arc<Ledger>,
    reading: Mutex<Reading>,
}

/// How far it has come.
#[derive(Default)]
struct Reading {
    /// What was read and is not yet in the sums on the disk.
    counting: Counting,
    /// Everything before it is in the sums on the disk.
    kept: Position,
    /// Why the sums are not written down, if so.
    fault: Option<String>,
}

impl Reading {
    fn from(position: Position) -> Self {
        Reading { counting: Counting::from(position), kept: position, fault: None }
    }
}

impl Charged {
    /// Takes up where it was. Where it never was, in the data of an earlier version, it begins with what activity has
    /// counted, and where.
    pub(crate) fn open(ledger: Arc<Ledger>, activity: &File) -> Result<Charged, OpenError> {
        let position = match ledger.charged_position().map_err(OpenError::Charges)? {
            Some(position) => position,
            None => {
                let counted = activity.accepted()?;
                ledger.charges_keep(&counted, activity.position()).map_err(OpenError::Charges)?;
                activity.position()
            }
        };
        Ok(Charged { ledger, reading: Mutex::new(Reading::from(position)) })
    }

    /// How far the sums on the disk go: the log may be recycled up to there.
    pub(crate) fn kept(&self) -> Position {
        self.lock().kept
    }

    /// Counts what activity has read.
    pub(crate) fn take(&self, batch: &Batch) {
        self.lock().counting.take(batch);
    }

    /// Counts all that the log tells beyond the position. To be called at the start, before activity reads on.
    pub(crate) fn catch_up(&self, spool: &LogSpool) -> Result<(), StoreError> {
        let mut reading = self.lock();
        if reading.counting.position() > spool.synced() {
            // errs towards too much: of an older copy of the same log, some is counted a second time
            tracing::warn!(
                "the spool is older than what was counted of it for the quotas: counting it from its beginning"
            );
            *reading = Reading::default();
            self.ledger.charges_keep(reading.counting.sums(), reading.kept)?;
        }
        read_on(&mut reading.counting, spool)
    }

    /// Writes down what is unkept, with the position behind it. Where that fails it is told, once; the log keeps what
    /// was counted, and it is tried again.
    pub(crate) fn keep(&self) {
        let mut reading = self.lock();
        let position = reading.counting.position();
        if reading.kept == position {
            return;
        }
        match self.ledger.charges_keep(reading.counting.sums(), position) {
            Ok(()) => *reading = Reading::from(position),
            Err(error) => {
                let fault = format!("what counts towards the quotas is not written down: {error}");
                if reading.fault.as_ref() != Some(&fault) {
                    tracing::error!("{fault}; the log keeps it until it is");
                }
                reading.fault = Some(fault);
            }
        }
    }

    /// Why the sums are not written down, if so: the log cannot be recycled then.
    pub(crate) fn fault(&self) -> Option<String> {
        self.lock().fault.clone()
    }

    /// Every charge of what was committed before this call, by account and day.
    pub(crate) fn all(&self, spool: &LogSpool) -> Result<Charges, StoreError> {
        // held to the end: what is read of the log is not recycled meanwhile
        let mut reading = self.lock();
        read_on(&mut reading.counting, spool)?;
        let mut charges = self.ledger.charges()?;
        charges.extend(reading.counting.sums().iter());
        Ok(charges)
    }

    fn lock(&self) -> MutexGuard<'_, Reading> {
        // sums and position change together or, where a reader panics between them, not at all
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_on(counting: &mut Counting, spool: &LogSpool) -> Result<(), StoreError> {
    let end = spool.synced();
    while counting.position() < end {
        let batch = spool.events(counting.position(), EVENTS_MAX)?;
        if batch.next <= counting.position() {
            break;
        }
        counting.take(&batch);
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::embedded::ledger::activity::tests::{envelope, log};
    use crate::embedded::spool::Event;
    use relay::clock::Day;
    use relay::id::Id;
    use relay::quota::Charge;

    fn sums(charges: &Charges) -> Vec<(u64, u64, u64)> {
        charges.iter().map(|charge| (charge.account.number(), charge.day.0, charge.recipients)).collect()
    }

    fn events() -> Vec<Event> {
        let day = 86_400_000;
        vec![
            Event::Committed(envelope(1, 0, &["a@example.org"])),
            Event::Committed(envelope(2, 0, &["a@example.org", "b@example.org"])),
            Event::Noticed(Vec::new()),
            Event::Committed(envelope(3, day, &["a@example.org", "b@example.org", "c@example.org"])),
        ]
    }

    #[test]
    fn events_told_again_from_any_place_are_counted_once() {
        let whole = log(events());
        for (first, last) in (0..=4).flat_map(|first| (first..=4).map(move |last| (first, last))) {
            let mut counting = Counting::default();
            let part = |from: usize, to: usize| Batch {
                events: whole.events[from..to].to_vec(),
                next: Position(to as u64 * 10),
            };
            counting.take(&part(0, last));
            counting.take(&part(first, 4));
            assert_eq!(sums(counting.sums()), [(1, 0, 3), (1, 1, 3)], "{first} to {last}");
            assert_eq!(counting.position(), Position(40));
        }
    }

    #[test]
    fn sums_and_position_are_kept_together_and_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Arc::new(Ledger::open(&folder.path().join("ledger.db"), &folder.path().join("key")).unwrap());
        let activity = File::open(&folder.path().join("activity.db")).unwrap();
        let mut charged = Charged::open(open(), &activity).unwrap();
        for _ in 0..3 {
            // each batch twice: whether it comes again before or after it was written down
            charged.take(&log(events()[..2].to_vec()));
            charged.keep();
            charged = Charged::open(open(), &activity).unwrap();
            charged.take(&log(events()[..3].to_vec()));
            assert_eq!(sums(&charged.ledger.charges().unwrap()), [(1, 0, 3)]);
        }
        charged.take(&log(events()));
        charged.keep();
        assert_eq!(sums(&open().charges().unwrap()), [(1, 0, 3), (1, 1, 3)]);
        assert_eq!(Charged::open(open(), &activity).unwrap().kept(), Position(40));
    }

    #[test]
    fn what_cannot_be_written_down_is_told_and_kept_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let ledger = Arc::new(Ledger::open(&path, &folder.path().join("key")).unwrap());
        let charged = Charged::open(ledger, &File::open(&folder.path().join("activity.db")).unwrap()).unwrap();
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("ALTER TABLE charges RENAME TO elsewhere").unwrap();
        charged.take(&log(events()[..2].to_vec()));
        charged.keep();
        assert_eq!(charged.kept(), Position(0), "the log may not be recycled");
        assert!(charged.fault().unwrap().contains("quotas"));
        charged.take(&log(events()));
        other.execute_batch("ALTER TABLE elsewhere RENAME TO charges").unwrap();
        charged.keep();
        assert_eq!((charged.kept(), charged.fault()), (Position(40), None));
        assert_eq!(sums(&charged.ledger.charges().unwrap()), [(1, 0, 3), (1, 1, 3)]);
    }

    #[test]
    fn data_of_a_version_without_quotas_begins_with_what_activity_counted() {
        let folder = tempfile::tempdir().unwrap();
        let mut activity = File::open(&folder.path().join("activity.db")).unwrap();
        let mut suppressed = (*envelope(4, 0, &["d@example.org"])).clone();
        suppressed.suppressed = std::mem::take(&mut suppressed.recipients);
        let system = relay::queue::Envelope { account: Id::new(0), ..(*envelope(5, 0, &["e@example.org"])).clone() };
        let further = [suppressed, system].map(|envelope| Event::Committed(Arc::new(envelope)));
        activity.apply(&log([events(), further.to_vec()].concat()), std::time::Duration::from_secs(3600)).unwrap();
        let ledger = Arc::new(Ledger::open(&folder.path().join("ledger.db"), &folder.path().join("key")).unwrap());
        let charged = Charged::open(Arc::clone(&ledger), &activity).unwrap();
        assert_eq!(sums(&ledger.charges().unwrap()), [(1, 0, 3), (1, 1, 3)]);
        assert_eq!(charged.kept(), Position(60));
        // once, not at each start
        drop(Charged::open(Arc::clone(&ledger), &activity).unwrap());
        assert_eq!(sums(&ledger.charges().unwrap()), [(1, 0, 3), (1, 1, 3)]);
    }

    #[test]
    fn days_far_from_the_one_that_is_charged_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.db"), &folder.path().join("key")).unwrap();
        for day in 0..300 {
            let mut charges = Charges::default();
            charges.add(Charge { account: Id::new(1), day: Day(day), recipients: 1 });
            charges.add(Charge { account: Id::new(2), day: Day(7), recipients: 1 });
            ledger.charges_keep(&charges, Position(day)).unwrap();
        }
        let kept = sums(&ledger.charges().unwrap());
        assert_eq!(kept.len(), relay::quota::DAYS_KEPT + 1);
        assert_eq!((kept[0], kept.last().copied()), ((1, 172, 1), Some((2, 7, 300))));
    }
}
