//! What does not exist, kept for a while: the library keeps no validated answer of that kind.

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RecordType};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

use super::LookupError;

/// Questions to which the answer is that there is nothing.
pub(super) struct Absent {
    kept: Mutex<HashMap<(Name, RecordType), (Instant, LookupError)>>,
    answers_max: usize,
    ttl_max: Duration,
}

impl Absent {
    /// Keeps so many answers, each for so long at most.
    pub(super) fn new(answers_max: usize, ttl_max: Duration) -> Absent {
        Absent { kept: Mutex::default(), answers_max, ttl_max }
    }

    /// What is known to be absent.
    pub(super) fn get(&self, name: &Name, kind: RecordType) -> Option<LookupError> {
        let kept = self.lock();
        let (until, error) = kept.get(&(name.clone(), kind))?;
        (Instant::now() < *until).then(|| error.clone())
    }

    /// Keeps an answer as long as the zone says (RFC 2308 §5), where it says that there is nothing; `meaning` is what
    /// that comes to.
    pub(super) fn keep(&self, name: Name, kind: RecordType, error: &NetError, meaning: &LookupError) {
        let NetError::Dns(DnsError::NoRecordsFound(none)) = error else { return };
        let Some(soa) = none.soa.as_ref() else { return };
        if matches!(meaning, LookupError::Fault(_)) {
            return;
        }
        let ttl = Duration::from_secs(soa.ttl.min(soa.data.minimum).into()).min(self.ttl_max);
        let now = Instant::now();
        let mut kept = self.lock();
        if kept.len() >= self.answers_max {
            kept.retain(|_, (until, _)| now < *until);
        }
        // nothing has gone by yet: better to ask all of it again than to look for the oldest each time
        if kept.len() >= self.answers_max {
            kept.clear();
        }
        kept.insert((name, kind), (now + ttl, meaning.clone()));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Name, RecordType), (Instant, LookupError)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
