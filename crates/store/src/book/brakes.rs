//! What each verb of the automatic brakes makes of them.

use std::sync::Arc;
use std::time::Duration;

use relay::audit::{About, Details, Field, Word};
use relay::brake::{Brake, Brakes, Release, Subject};
use relay::clock::Timestamp;
use relay::store::{Actor, StoreError};

use super::{Decided, Draft, Register, Write, system};

/// How long a brake that was released is remembered: what was seen then is of use for a week, and who released it for one.
const RELEASED_KEPT: Duration = Duration::from_secs(8 * 24 * 3600);

impl Draft {
    fn put_brake(&mut self, brake: Brake) {
        let brakes: &mut Brakes = Arc::make_mut(&mut self.next.brakes);
        brakes.insert(brake.subject, brake.clone());
        self.writes.push(Write::Brake(Box::new(brake)));
    }

    /// Forgets brakes that nothing follows from any more.
    fn forget_brakes(&mut self, now: Timestamp) {
        let accounts = &self.next.accounts;
        let is_over = |brake: &Brake| {
            let is_old = brake.released.as_ref().is_some_and(|release| now.since(release.at) >= RELEASED_KEPT);
            is_old || accounts.get(&brake.account).is_none()
        };
        let over: Vec<Subject> =
            self.next.brakes.values().filter(|brake| is_over(brake)).map(|one| one.subject).collect();
        for subject in over {
            Arc::make_mut(&mut self.next.brakes).remove(&subject);
            self.writes.push(Write::BrakeGone(subject));
        }
    }
}

impl Register {
    fn brake(&self, subject: Subject) -> Option<&Brake> {
        self.directory.brakes.get(&subject).filter(|brake| brake.is_on())
    }

    pub(crate) fn brake_put_on(&self, brake: Brake) -> Decided<bool> {
        if self.directory.accounts.get(&brake.account).is_none() {
            return Err(StoreError::NotFound(format!("account {}", brake.account)));
        }
        let mut draft = self.draft();
        if self.brake(brake.subject).is_some() {
            return Ok(draft.done(false));
        }
        draft.forget_brakes(brake.since);
        let (account, since) = (brake.account, brake.since);
        draft.note(&system(), since, "brake.on", self.told(&brake), Some(account));
        draft.put_brake(brake);
        Ok(draft.done(true))
    }

    pub(crate) fn brake_told(&self, subject: Subject) -> Decided<()> {
        let mut draft = self.draft();
        if let Some(brake) = self.brake(subject) {
            draft.put_brake(Brake { told: true, ..brake.clone() });
        }
        Ok(draft.done(()))
    }

    pub(crate) fn brake_release(&self, subject: Subject, release: Release, by: &Actor) -> Decided<Brake> {
        let brake = self.brake(subject).ok_or_else(|| StoreError::NotFound(format!("brake {subject} that is on")))?;
        let mut draft = self.draft();
        draft.forget_brakes(release.at);
        draft.note(by, release.at, "brake.release", self.told(brake), Some(brake.account));
        let released = Brake { released: Some(release), ..brake.clone() };
        draft.put_brake(released.clone());
        Ok(draft.done(released))
    }

    /// A brake as the audit log tells of it.
    fn told(&self, brake: &Brake) -> Details {
        let user = match brake.subject {
            Subject::User(user) => Some(self.user_named(user)),
            Subject::Account(_) => None,
        };
        Details::from(About::from(brake))
            .with_any(Field::SmtpUser, user.as_ref())
            .with(Field::Cause, &Word(brake.cause))
            .with(Field::Counted, &brake.counted)
            .with(Field::CountedOf, &brake.of)
    }
}
