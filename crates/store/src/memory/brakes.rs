//! The model's brakes.

use relay::brake::{Brake, Release, Subject};
use relay::store::{Actor, Brakes, StoreError};

use super::Memory;

impl Brakes for Memory {
    fn brake_put_on(&self, brake: Brake) -> Result<bool, StoreError> {
        self.book(|register| register.brake_put_on(brake))
    }

    fn brake_told(&self, subject: Subject) -> Result<(), StoreError> {
        self.book(|register| register.brake_told(subject))
    }

    fn brake_release(&self, subject: Subject, release: Release, by: &Actor) -> Result<Brake, StoreError> {
        self.book(|register| register.brake_release(subject, release, by))
    }
}
