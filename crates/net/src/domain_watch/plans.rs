//! Which domain is looked at next: those that somebody waits for first, then by the time that they are due.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use relay::account::Account;
use relay::clock::Timestamp;
use relay::id::Id;
use relay::limits::Limits;
use relay::sending_domain::{DomainState, SendingDomain};
use relay::verification::is_well;

/// The wait before the second, third, … look while something is missing; the last of them from then on.
const WAITS: [Duration; 7] = [
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(3600),
    Duration::from_secs(6 * 3600),
];

/// The wait where a record has vanished.
const WAIT_IN_GRACE: Duration = Duration::from_secs(3600);

/// The wait where all is there.
const WAIT_WHEN_WELL: Duration = Duration::from_secs(24 * 3600);

/// A look that is asked for so soon after the last is that one: who clicks twice does not ask DNS twice.
pub(super) const FRESH: Duration = Duration::from_secs(3);

/// Who goes first, of those that are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Never looked at, or asked for: due as soon as there is room.
    Awaited,
    /// Its time comes.
    Routine,
}

/// When a domain is looked at.
#[derive(Clone, Debug)]
struct Plan {
    account: Id<Account>,
    state: DomainState,
    rank: Rank,
    next: Timestamp,
    /// Looks since it came into its state.
    looks: usize,
    /// It is being looked at, and not in the queue.
    is_looked_at: bool,
}

/// The plans of all domains, and how many looks are under way.
#[derive(Debug)]
pub(super) struct Plans {
    looks_max: usize,
    account_looks_max: usize,
    plans: HashMap<Id<SendingDomain>, Plan>,
    queue: BTreeSet<(Rank, Timestamp, Id<SendingDomain>)>,
    looks: usize,
    /// Looks under way of each account that has any.
    of_account: HashMap<Id<Account>, usize>,
}

impl Plans {
    pub(super) fn new(limits: &Limits) -> Plans {
        let number = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        Plans {
            looks_max: number(limits.domain_looks_max),
            account_looks_max: number(limits.account_domain_looks_max),
            plans: HashMap::new(),
            queue: BTreeSet::new(),
            looks: 0,
            of_account: HashMap::new(),
        }
    }

    /// Takes up what the directory has: new domains, those that came into another state by somebody's word, and which
    /// are gone.
    pub(super) fn refresh<'a>(&mut self, domains: impl Iterator<Item = &'a SendingDomain>, now: Timestamp) {
        let mut gone: BTreeSet<_> = self.plans.keys().copied().collect();
        for domain in domains.filter(|domain| domain.deleted_at.is_none()) {
            gone.remove(&domain.id);
            match self.plans.get(&domain.id) {
                None => self.put(domain.id, first(domain, now)),
                Some(plan) if plan.state != domain.state && !plan.is_looked_at => {
                    // by a look on demand just now, or by somebody's word
                    let next = if is_fresh(domain, now) { now.after(wait(domain, 0)) } else { now };
                    let plan = Plan { state: domain.state, rank: Rank::Routine, next, looks: 0, ..plan.clone() };
                    self.put(domain.id, plan);
                }
                Some(_) => {}
            }
        }
        // one that is being looked at keeps its place until that ends
        gone.retain(|id| self.plans.get(id).is_some_and(|plan| !plan.is_looked_at));
        gone.into_iter().for_each(|id| self.forget(id));
    }

    /// Somebody waits for a look at this domain. One that is being looked at is looked at already.
    pub(super) fn look_soon(&mut self, domain: &SendingDomain, now: Timestamp) {
        if !is_fresh(domain, now) {
            self.look_again(domain, now);
        }
    }

    /// The same, also where it was looked at just now: something else has changed since.
    pub(super) fn look_again(&mut self, domain: &SendingDomain, now: Timestamp) {
        if domain.deleted_at.is_some() {
            return;
        }
        let plan = self.plans.get(&domain.id).cloned().unwrap_or_else(|| first(domain, now));
        if !plan.is_looked_at {
            self.put(domain.id, Plan { rank: Rank::Awaited, next: now, ..plan });
        }
    }

    /// The next domain to be looked at, where one is due and there is room: it counts as being looked at from now on.
    pub(super) fn begin(&mut self, now: Timestamp) -> Option<Id<SendingDomain>> {
        if self.looks >= self.looks_max {
            return None;
        }
        let has_room = |account| self.of_account.get(account).is_none_or(|looks| *looks < self.account_looks_max);
        let mut due = self.queue.iter().take_while(|(_, next, _)| *next <= now);
        let place = *due.find(|(_, _, id)| self.plans.get(id).is_some_and(|plan| has_room(&plan.account)))?;
        self.queue.remove(&place);
        let plan = self.plans.get_mut(&place.2)?;
        plan.is_looked_at = true;
        self.looks += 1;
        *self.of_account.entry(plan.account).or_default() += 1;
        Some(place.2)
    }

    /// A look has ended, and left the domain like this; whether that is another state than before.
    pub(super) fn end(&mut self, domain: &SendingDomain, now: Timestamp) -> bool {
        let Some(plan) = self.plans.get(&domain.id).filter(|plan| plan.is_looked_at).cloned() else { return false };
        self.give_back(plan.account);
        let (state, looks) = (domain.state, if plan.state == domain.state { plan.looks } else { 0 });
        let next = now.after(wait(domain, looks));
        let is_changed = plan.state != state;
        self.put(domain.id, Plan { state, rank: Rank::Routine, next, looks: looks + 1, is_looked_at: false, ..plan });
        is_changed
    }

    /// Nobody looks at this domain any more.
    pub(super) fn forget(&mut self, id: Id<SendingDomain>) {
        let Some(plan) = self.plans.remove(&id) else { return };
        if plan.is_looked_at {
            self.give_back(plan.account);
        } else {
            self.queue.remove(&(plan.rank, plan.next, id));
        }
    }

    /// When the first is due of those that are not yet. (What is due and waits for room begins when a look ends.)
    pub(super) fn due_after(&self, now: Timestamp) -> Option<Timestamp> {
        let from = (Rank::Routine, Timestamp(now.0.saturating_add(1)), Id::new(0));
        self.queue.range(from..).next().map(|(_, next, _)| *next)
    }

    /// Puts a plan in the place of what was planned before.
    fn put(&mut self, id: Id<SendingDomain>, plan: Plan) {
        let place = (plan.rank, plan.next, id);
        if let Some(before) = self.plans.insert(id, plan) {
            self.queue.remove(&(before.rank, before.next, id));
        }
        self.queue.insert(place);
    }

    fn give_back(&mut self, account: Id<Account>) {
        self.looks = self.looks.saturating_sub(1);
        if let Some(looks) = self.of_account.get_mut(&account) {
            *looks -= 1;
            if *looks == 0 {
                self.of_account.remove(&account);
            }
        }
    }
}

/// The plan of a domain that has none: after a restart it goes on where it was.
fn first(domain: &SendingDomain, now: Timestamp) -> Plan {
    let looked_at = domain.check.as_ref().map(|check| check.at);
    let next = looked_at.filter(|_| is_well(domain)).map_or(now, |at| at.after(WAIT_WHEN_WELL));
    let rank = if looked_at.is_none() { Rank::Awaited } else { Rank::Routine };
    Plan { account: domain.account, state: domain.state, rank, next, looks: 0, is_looked_at: false }
}

/// Whether it was looked at just now.
fn is_fresh(domain: &SendingDomain, now: Timestamp) -> bool {
    domain.check.as_ref().is_some_and(|check| now.since(check.at) < FRESH)
}

/// How long after so many looks the next one is.
fn wait(domain: &SendingDomain, looks: usize) -> Duration {
    match domain.state {
        _ if is_well(domain) => WAIT_WHEN_WELL,
        DomainState::Warning => WAIT_IN_GRACE,
        _ => WAITS[looks.min(WAITS.len() - 1)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay::verification::Check;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    /// A domain of an account, looked at so many seconds ago, or never.
    fn domain(id: u64, account: u64, looked_at: Option<u64>) -> SendingDomain {
        let check = looked_at.map(|ago| Check::new(Timestamp(NOW.0 - ago * 1000), Vec::new()));
        SendingDomain {
            check,
            ..SendingDomain::new(Id::new(id), Id::new(account), format!("d{id}.example"), Vec::new(), NOW)
        }
    }

    fn plans(looks_max: u64, account_looks_max: u64, domains: &[SendingDomain]) -> Plans {
        let limits =
            Limits { domain_looks_max: looks_max, account_domain_looks_max: account_looks_max, ..Limits::default() };
        let mut plans = Plans::new(&limits);
        plans.refresh(domains.iter(), NOW);
        plans
    }

    /// What is begun now, in order.
    fn begun(plans: &mut Plans, now: Timestamp) -> Vec<u64> {
        std::iter::from_fn(|| plans.begin(now)).map(Id::number).collect()
    }

    #[test]
    fn what_is_new_goes_first_then_what_is_due_longest() {
        let soon = [domain(1, 1, Some(60)), domain(2, 2, Some(60))];
        let mut plans = plans(10, 10, &soon);
        assert_eq!(begun(&mut plans, NOW), [1, 2]);
        plans.end(&soon[1], NOW);
        plans.end(&soon[0], NOW.after(Duration::from_secs(1)));
        let later = NOW.after(Duration::from_secs(20));
        let all = [soon[0].clone(), soon[1].clone(), domain(3, 3, None)];
        assert_eq!(plans.due_after(NOW), Some(NOW.after(WAITS[0])));
        plans.refresh(all.iter(), later);
        assert_eq!(begun(&mut plans, later), [3, 2, 1]);
    }

    #[test]
    fn an_account_takes_so_many_places_and_leaves_the_others() {
        let all: Vec<_> = (1..=20).map(|id| domain(id, 1, None)).chain([domain(21, 2, Some(60))]).collect();
        let mut plans = plans(5, 3, &all);
        assert_eq!(begun(&mut plans, NOW), [1, 2, 3, 21]);
        plans.end(&all[1], NOW);
        assert_eq!(begun(&mut plans, NOW), [4]);
        plans.forget(Id::new(1));
        assert_eq!(begun(&mut plans, NOW), [5]);
        let others: Vec<_> = (30..=40).map(|id| domain(id, id, None)).collect();
        plans.refresh(others.iter(), NOW);
        assert_eq!(begun(&mut plans, NOW), [30], "room for five in all");
    }

    #[test]
    fn who_is_asked_for_goes_before_what_is_due_once() {
        let all = [domain(1, 1, Some(60)), domain(2, 2, Some(60)), domain(3, 3, Some(60)), domain(4, 4, Some(1))];
        let mut plans = plans(10, 10, &all);
        plans.look_soon(&all[2], NOW);
        plans.look_soon(&all[2], NOW);
        plans.look_soon(&all[3], NOW);
        assert_eq!(begun(&mut plans, NOW), [3, 1, 2, 4], "one that is seconds old is in no hurry");
        plans.look_soon(&all[2], NOW);
        assert!(begun(&mut plans, NOW).is_empty(), "what is being looked at is looked at");
        plans.end(&all[2], NOW);
        assert!(begun(&mut plans, NOW).is_empty(), "and not once more");
    }
}
