//! Counts what the log charges to the quotas: each commit once, however often it is told.

use relay::quota::{Charge, Charges};

use super::spool::{Batch, Event, Position};

/// A consumer of the log that adds up charges.
#[derive(Clone, Debug, Default)]
pub struct Counting {
    position: Position,
    sums: Charges,
}

impl Counting {
    /// Goes on where everything before `position` is counted elsewhere.
    pub fn from(position: Position) -> Self {
        Counting { position, sums: Charges::default() }
    }

    /// How far it has come.
    pub fn position(&self) -> Position {
        self.position
    }

    /// What it has counted.
    pub fn sums(&self) -> &Charges {
        &self.sums
    }

    /// Counts the events of a batch that it has not counted yet; the batch begins at or before its position.
    pub fn take(&mut self, batch: &Batch) {
        for (position, event) in &batch.events {
            if *position <= self.position {
                continue;
            }
            if let Event::Committed(envelope) = event {
                self.sums.extend(Charge::of(envelope));
            }
            self.position = *position;
        }
        self.position = self.position.max(batch.next);
    }
}
