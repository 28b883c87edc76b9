//! The automatic brakes that are on: what has to be remembered, and the verbs that change it.

use super::{Actor, StoreError};
use crate::brake::{Brake, Release, Subject};

/// Automatic brakes. Verbs block on the disk: call them off the async threads. Each is in [`super::Book::directory`] before it
/// returns.
pub trait Brakes: Send + Sync + 'static {
    /// Puts a brake on, with a line in the audit log; whether it was not on already.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; [`StoreError::NotFound`] where there is no such account.
    fn brake_put_on(&self, brake: Brake) -> Result<bool, StoreError>;

    /// People were told of a brake that is on; of one that is not, nothing is kept.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn brake_told(&self, subject: Subject) -> Result<(), StoreError>;

    /// Releases a brake, with a line in the audit log; it as it was.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; [`StoreError::NotFound`] where none is on.
    fn brake_release(&self, subject: Subject, release: Release, by: &Actor) -> Result<Brake, StoreError>;
}
