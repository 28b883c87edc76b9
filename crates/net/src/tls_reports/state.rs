//! What is counted today, what waits to be sent, and what was sent: the part that is kept in the file.

use relay::clock::{Day, Timestamp};
use relay::tls_report::{Counted, Tally};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::due_at;

/// How long a report is tried (RFC 8460 §5.5).
const TRIED_FOR: Duration = Duration::from_secs(24 * 3600);
/// The wait after the first try that failed; each further one is twice as long.
const WAIT_MIN: Duration = Duration::from_secs(15 * 60);
const WAIT_MAX: Duration = Duration::from_secs(6 * 3600);
/// Days whose reports wait: beyond them a relay that stood still for long sends none.
const DAYS_MAX: usize = 3;

/// What there is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// What is counted on the present day.
    pub(super) today: Tally,
    /// What waits, by day and domain.
    waiting: BTreeMap<Day, BTreeMap<String, Waiting>>,
    /// What was sent or given up, the oldest first.
    pub(super) sent: VecDeque<SentReport>,
    /// Not yet written down.
    #[serde(skip)]
    pub(super) has_changed: bool,
    /// Domains whose reports are under way.
    #[serde(skip)]
    under_way: BTreeSet<(Day, String)>,
}

/// A report that waits.
#[derive(Debug, Serialize, Deserialize)]
struct Waiting {
    counted: Counted,
    /// Not before.
    due: Timestamp,
    /// Given up then.
    ends: Timestamp,
    /// Tries that failed.
    failures: u32,
    /// Places that have taken it.
    taken: Vec<String>,
}

/// A report that is due.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) day: Day,
    pub(super) domain: String,
    pub(super) counted: Counted,
    taken: Vec<String>,
}

impl Due {
    pub(super) fn has_taken(&self, place: &str) -> bool {
        self.taken.iter().any(|taken| taken == place)
    }
}

/// What came of a try.
#[derive(Debug)]
pub(super) struct Tried {
    /// The places that took it.
    pub(super) taken: Vec<String>,
    /// Why another did not, or where there is no place to be known.
    pub(super) fault: Option<String>,
}

/// What was counted of one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedDomain {
    /// On which day.
    pub day: Day,
    /// The recipient domain.
    pub domain: String,
    /// What.
    pub counted: Counted,
    /// When its report goes out, where the domain wants one; none while it is still counted.
    pub due: Option<Timestamp>,
}

/// A report that was sent or given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentReport {
    /// About which domain.
    pub domain: String,
    /// About which day.
    pub day: Day,
    /// When it came to its end.
    pub at: Timestamp,
    /// The places that took it.
    pub to: Vec<String>,
    /// Sessions that succeeded.
    pub successes: u64,
    /// Sessions that failed.
    pub failures: u64,
    /// Why a place did not take it, where one did not.
    pub fault: Option<String>,
}

impl State {
    pub(super) fn of(day: Day) -> State {
        State {
            today: Tally::of(day),
            waiting: BTreeMap::new(),
            sent: VecDeque::new(),
            has_changed: false,
            under_way: BTreeSet::new(),
        }
    }

    /// Seals the day where it is over. A clock that goes back goes on with the day that it has.
    pub(super) fn roll(&mut self, day: Day, spread: Duration) {
        if day <= self.today.day {
            return;
        }
        let over = std::mem::replace(&mut self.today, Tally::of(day));
        if over.passed_over > 0 {
            tracing::warn!(
                day = %over.day, sessions = over.passed_over,
                "sessions were not counted for reports on TLS: there are more domains than tls_report_domains_max"
            );
        }
        let waiting = |(domain, counted): (String, Counted)| {
            let due = due_at(over.day, &domain, spread);
            (domain, Waiting { counted, due, ends: due.after(TRIED_FOR), failures: 0, taken: Vec::new() })
        };
        if !over.domains.is_empty() {
            self.waiting.insert(over.day, over.domains.into_iter().map(waiting).collect());
        }
        while self.waiting.len() > DAYS_MAX {
            self.waiting.pop_first();
        }
        self.has_changed = true;
    }

    /// Some of what is due and not under way; it is from now on.
    pub(super) fn due(&mut self, now: Timestamp, most: usize) -> Vec<Due> {
        let mut found = Vec::new();
        for (day, domains) in &self.waiting {
            for (domain, waiting) in domains.iter().filter(|(_, waiting)| waiting.due <= now) {
                if found.len() >= most {
                    return found;
                }
                if self.under_way.insert((*day, domain.clone())) {
                    let (counted, taken) = (waiting.counted.clone(), waiting.taken.clone());
                    found.push(Due { day: *day, domain: domain.clone(), counted, taken });
                }
            }
        }
        found
    }

    /// Keeps what came of a try. A domain that wants no report is forgotten.
    pub(super) fn settle(&mut self, due: &Due, tried: Tried, now: Timestamp, kept_max: usize) {
        self.has_changed = true;
        self.under_way.remove(&(due.day, due.domain.clone()));
        let Some(domains) = self.waiting.get_mut(&due.day) else { return };
        let Some(waiting) = domains.get_mut(&due.domain) else { return };
        waiting.taken.extend(tried.taken);
        if tried.fault.is_some() {
            waiting.failures = waiting.failures.saturating_add(1);
            let wait = WAIT_MIN.saturating_mul(1 << (waiting.failures - 1).min(10)).min(WAIT_MAX);
            waiting.due = now.after(wait);
            if waiting.due < waiting.ends {
                let why = tried.fault.as_deref().unwrap_or_default();
                tracing::info!(domain = %due.domain, day = %due.day, why, "a report on TLS is tried again later");
                return;
            }
        }
        let over = domains.remove(&due.domain);
        if domains.is_empty() {
            self.waiting.remove(&due.day);
        }
        if let Some(over) = over.filter(|over| !over.taken.is_empty() || tried.fault.is_some()) {
            self.note(due, over, tried.fault, now, kept_max);
        }
    }

    fn note(&mut self, due: &Due, over: Waiting, fault: Option<String>, at: Timestamp, kept_max: usize) {
        tracing::info!(
            domain = %due.domain, day = %due.day, to = ?over.taken, fault = fault.as_deref().unwrap_or_default(),
            "a report on TLS came to its end"
        );
        let (successes, failures) = over.counted.sessions();
        let (domain, day, to) = (due.domain.clone(), due.day, over.taken);
        self.sent.push_back(SentReport { domain, day, at, to, successes, failures, fault });
        while self.sent.len() > kept_max {
            self.sent.pop_front();
        }
    }

    pub(super) fn counted(&self, after: Option<(Day, &str)>, limit: usize) -> Vec<CountedDomain> {
        let waiting = self.waiting.iter().flat_map(|(day, domains)| {
            domains.iter().map(|(domain, waiting)| (*day, domain, &waiting.counted, Some(waiting.due)))
        });
        let today = self.today.domains.iter().map(|(domain, counted)| (self.today.day, domain, counted, None));
        waiting
            .chain(today)
            .filter(|(day, domain, ..)| after.is_none_or(|after| (*day, domain.as_str()) > after))
            .take(limit)
            .map(|(day, domain, counted, due)| CountedDomain {
                day,
                domain: domain.clone(),
                counted: counted.clone(),
                due,
            })
            .collect()
    }

    /// It as it is written down, where that has changed.
    pub(super) fn changed(&mut self) -> Option<Vec<u8>> {
        if !std::mem::take(&mut self.has_changed) {
            return None;
        }
        super::kept::page(self)
    }
}
