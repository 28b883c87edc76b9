//! What does not exist, kept for a while: the library keeps no validated answer of that kind.

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RecordType};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

use super::LookupError;
use super::validated::Nothing;

/// Questions to which the answer is that there is nothing.
pub(super) struct Absent {
    kept: Mutex<HashMap<(Name, RecordType), (Instant, Nothing)>>,
    answers_max: usize,
    ttl_max: Duration,
}

impl Absent {
    /// Keeps so many answers, each for so long at most.
    pub(super) fn new(answers_max: usize, ttl_max: Duration) -> Absent {
        Absent { kept: Mutex::default(), answers_max, ttl_max }
    }

    /// What is known to be absent.
    pub(super) fn get(&self, name: &Name, kind: RecordType) -> Option<Nothing> {
        let kept = self.lock();
        let (until, nothing) = kept.get(&(name.clone(), kind))?;
        (Instant::now() < *until).then(|| nothing.clone())
    }

    /// Keeps an answer as long as the zone says (RFC 2308 §5), where it says that there is nothing; `nothing` is what
    /// that comes to.
    pub(super) fn keep(&self, name: Name, kind: RecordType, error: &NetError, nothing: &Nothing) {
        let NetError::Dns(DnsError::NoRecordsFound(none)) = error else { return };
        let Some(soa) = none.soa.as_ref() else { return };
        if matches!(nothing.why, LookupError::Fault(_)) {
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
        kept.insert((name, kind), (now + ttl, nothing.clone()));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Name, RecordType), (Instant, Nothing)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use hickory_resolver::net::NoRecords;
    use hickory_resolver::proto::op::{Query, ResponseCode};
    use hickory_resolver::proto::rr::Record;
    use hickory_resolver::proto::rr::rdata::SOA;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    /// Nothing, as a zone says whose SOA has this TTL and this minimum; none: it has no SOA.
    fn nothing(code: ResponseCode, soa: Option<(u32, u32)>) -> NetError {
        let mut none = NoRecords::new(Query::query(name("a.test."), RecordType::MX), code);
        none.soa = soa.map(|(ttl, minimum)| {
            let soa = SOA::new(name("ns.test."), name("host.test."), 1, 3600, 600, 86_400, minimum);
            Box::new(Record::from_rdata(name("test."), ttl, soa))
        });
        none.into()
    }

    fn keep(absent: &Absent, owner: &str, error: &NetError) {
        absent.keep(name(owner), RecordType::MX, error, &Nothing::of(&name(owner), error));
    }

    fn known(absent: &Absent, owner: &str) -> Option<LookupError> {
        absent.get(&name(owner), RecordType::MX).map(|nothing| nothing.why)
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_kept_as_long_as_the_zone_says_and_no_longer_than_we_do() {
        let absent = Absent::new(10, Duration::from_secs(300));
        keep(&absent, "short.test.", &nothing(ResponseCode::NoError, Some((3600, 60))));
        keep(&absent, "shorter.test.", &nothing(ResponseCode::NXDomain, Some((30, 60))));
        keep(&absent, "long.test.", &nothing(ResponseCode::NoError, Some((86_400, 86_400))));
        assert_eq!(known(&absent, "shorter.test."), Some(LookupError::NoSuchName));
        assert_eq!(absent.get(&name("short.test."), RecordType::TLSA), None, "of this kind alone");
        for (seconds, short, shorter, long) in
            [(29, true, true, true), (30, true, false, true), (240, false, false, true)]
        {
            tokio::time::advance(Duration::from_secs(seconds)).await;
            let expected = |is_known: bool| is_known.then_some(LookupError::NoRecord);
            assert_eq!(known(&absent, "short.test."), expected(short), "{seconds}");
            assert_eq!(known(&absent, "shorter.test.").is_some(), shorter, "{seconds}");
            assert_eq!(known(&absent, "long.test."), expected(long), "{seconds}");
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(known(&absent, "long.test."), None);
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_never_more_of_it_than_its_bound() {
        let absent = Absent::new(4, Duration::from_secs(300));
        let error = nothing(ResponseCode::NoError, Some((60, 60)));
        for number in 0..50 {
            keep(&absent, &format!("{number}.test."), &error);
            assert!(absent.lock().len() <= 4);
            assert!(known(&absent, &format!("{number}.test.")).is_some());
        }
        // what has gone by makes room first
        let absent = Absent::new(2, Duration::from_secs(300));
        keep(&absent, "old.test.", &nothing(ResponseCode::NoError, Some((10, 10))));
        keep(&absent, "young.test.", &error);
        tokio::time::advance(Duration::from_secs(10)).await;
        keep(&absent, "new.test.", &error);
        assert!(known(&absent, "young.test.").is_some() && known(&absent, "new.test.").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn faults_and_what_no_zone_answers_for_are_not_kept() {
        let absent = Absent::new(4, Duration::from_secs(300));
        keep(&absent, "a.test.", &nothing(ResponseCode::NoError, None));
        keep(&absent, "a.test.", &nothing(ResponseCode::ServFail, Some((60, 60))));
        keep(&absent, "a.test.", &NetError::Timeout);
        assert_eq!(known(&absent, "a.test."), None);
    }
}
