//! Sign-ins to the console that failed: gathered, written down together, and shown with those that did not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use relay::audit::About;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::member::Member;
use relay::member::failures::{FailedSignIns, SignInFailure};
use relay::rate::Pace;
use relay::service::view::SignInView;
use relay::service::{self, Fault};
use relay::site::Site;
use relay::store::{Actor, AuditEntry, Store, StoreError};

use super::Executor;

/// Failures by member, kind and place that wait to be written down at once; more than come within seconds.
const WAITING_MAX: usize = 10_000;
/// How often failures alike from one place are a line of the audit log.
const TOLD_EVERY: Duration = Duration::from_secs(3600);
/// How often failures of a member are, from wherever, after so many at once: places are easily had.
const MEMBER_TOLD_EVERY: Duration = Duration::from_secs(1800);
const MEMBER_TOLD_BURST: u64 = 10;

type Alike = (Id<Member>, SignInFailure, Site);

/// Failures that are not written down yet, and what the audit log was told.
pub(super) struct Failed {
    waiting: Mutex<HashMap<Alike, FailedSignIns>>,
    told: Mutex<(Pace<Alike>, Pace<Id<Member>>)>,
}

impl Default for Failed {
    fn default() -> Self {
        let told = (Pace::every(TOLD_EVERY, 1), Pace::every(MEMBER_TOLD_EVERY, MEMBER_TOLD_BURST));
        Failed { waiting: Mutex::default(), told: Mutex::new(told) }
    }
}

impl Failed {
    /// Takes one in.
    pub(super) fn on(&self, member: Id<Member>, failure: SignInFailure, site: Site, now: Timestamp) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let alike = (member, failure, site);
        if waiting.len() >= WAITING_MAX && !waiting.contains_key(&alike) {
            // the metrics count it all the same
            return;
        }
        let place = Some(site.address());
        let none = FailedSignIns { member, failure, place, count: 0, first_at: now, last_at: now };
        let failed = waiting.entry(alike).or_insert(none);
        (failed.count, failed.last_at) = (failed.count + 1, failed.last_at.max(now));
    }

    fn take(&self) -> HashMap<Alike, FailedSignIns> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the audit log is told: the first of those alike, and only so many of one member's.
    fn is_told(&self, alike: Alike, now: Timestamp) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let (places, members) = &mut *told;
        if places.on(alike, now).is_err() {
            return false;
        }
        let is_told = members.on(alike.0, now).is_ok();
        if !is_told {
            places.take_back(&alike);
        }
        is_told
    }
}

impl<S: Store> Executor<S> {
    /// Writes down what was gathered. Blocks on the disk.
    pub(super) fn write_failed(&self) -> Result<(), StoreError> {
        let failed = self.failed.take();
        if failed.is_empty() {
            return Ok(());
        }
        let all: Vec<_> = failed.values().copied().collect();
        self.store.sign_ins_failed(&all)?;
        let directory = self.store.directory();
        for (alike, failed) in failed {
            let (member, _, site) = alike;
            let Some(member) = directory.members.get(&member) else { continue };
            if self.failed.is_told(alike, failed.last_at) {
                self.store.audit_note(line(member, &failed, site))?;
            }
        }
        Ok(())
    }

    /// Sign-ins of a member: where they came from, and what failed.
    pub(super) fn sign_ins_of(&self, member: Id<Member>) -> Result<Vec<SignInView>, Fault> {
        self.write_failed()?;
        service::member_sign_ins(self.store.as_ref(), member, self.clock.now())
    }

    /// The same, off the async threads.
    pub(super) async fn sign_ins_shown(self: &Arc<Self>, member: Id<Member>) -> Result<Vec<SignInView>, Fault> {
        let here = Arc::clone(self);
        tokio::task::spawn_blocking(move || here.sign_ins_of(member)).await.map_err(super::broke_off)?
    }
}

/// What the audit log says of it. Who tried is not known.
fn line(member: &Member, failed: &FailedSignIns, site: Site) -> AuditEntry {
    let action = match failed.failure {
        SignInFailure::WrongPassword => "member.sign_in_wrong_password",
        SignInFailure::WrongCode => "member.sign_in_wrong_code",
        SignInFailure::NoCode => "member.sign_in_no_code",
    };
    let by = Actor { name: "somebody at the entrance".to_owned(), from: site.to_string() };
    AuditEntry::new(failed.last_at, by, action, About::from(member), member.account)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn site(number: u16) -> Site {
        let [high, low] = number.to_be_bytes();
        Site::of([192, 0, high, low].into())
    }

    #[test]
    fn failures_alike_are_gathered_and_no_number_of_places_is_held() {
        let (failed, jane) = (Failed::default(), Id::new(1));
        for second in [5, 9, 7] {
            failed.on(jane, SignInFailure::WrongPassword, site(1), Timestamp(second));
        }
        failed.on(jane, SignInFailure::WrongCode, site(1), Timestamp(8));
        let taken = failed.take();
        let wrong = taken[&(jane, SignInFailure::WrongPassword, site(1))];
        assert_eq!((taken.len(), wrong.count, wrong.first_at, wrong.last_at), (2, 3, Timestamp(5), Timestamp(9)));
        for number in 0..u16::MAX {
            failed.on(jane, SignInFailure::WrongPassword, site(number), Timestamp(1));
        }
        assert_eq!(failed.take().len(), WAITING_MAX);
        assert!(failed.take().is_empty());
    }

    #[test]
    fn the_audit_log_is_told_little_however_many_places_there_are() {
        let (failed, now) = (Failed::default(), Timestamp(1_800_000_000_000));
        let alike = |member, number| (Id::new(member), SignInFailure::WrongPassword, site(number));
        assert!(failed.is_told(alike(1, 0), now) && !failed.is_told(alike(1, 0), now));
        let told = (1..1000).filter(|number| failed.is_told(alike(1, *number), now)).count();
        assert_eq!(told as u64, MEMBER_TOLD_BURST - 1);
        assert!(failed.is_told(alike(2, 5), now), "others have their own");
        assert!(failed.is_told(alike(1, 0), now.after(TOLD_EVERY)));
    }
}
