//! Brakes of the data folder: decided by the book's rules, kept by the ledger.

use relay::brake::{Brake, Release, Subject};
use relay::store::{Actor, Brakes, StoreError};

use super::Embedded;

impl Brakes for Embedded {
    fn brake_put_on(&self, brake: Brake) -> Result<bool, StoreError> {
        self.ledger.book(|register| register.brake_put_on(brake))
    }

    fn brake_told(&self, subject: Subject) -> Result<(), StoreError> {
        self.ledger.book(|register| register.brake_told(subject))
    }

    fn brake_release(&self, subject: Subject, release: Release, by: &Actor) -> Result<Brake, StoreError> {
        self.ledger.book(|register| register.brake_release(subject, release, by))
    }
}
