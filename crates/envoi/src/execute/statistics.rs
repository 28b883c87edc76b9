//! Statistics: the daily counters of a period and of the one before, of an account, a domain or an SMTP user.

use relay::clock::Day;
use relay::id::Id;
use relay::service::operation::{Answer, Operation};
use relay::service::view::StatisticsView;
use relay::service::{self, Caller, Fault};
use relay::statistics::{DAYS_DEFAULT, DAYS_MAX, Period, Statistics};
use relay::store::Store;

use super::{Executor, misplaced};

/// Domains and SMTP users of a whole relay that are listed with what they sent: of more there are the days alone, so that the
/// operator's look costs no more as the relay grows.
const LISTED_MAX: usize = 1000;

impl<S: Store> Executor<S> {
    pub(super) fn statistics(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let Operation::Statistics { account, domain, user, since, until } = operation else { return Err(misplaced()) };
        let store = self.store.as_ref();
        let whole = account.filter(|_| domain.is_none() && user.is_none()).map(Id::new);
        let domain = domain.map(|domain| service::domain_find(store, &domain, caller.scope)).transpose()?;
        let user = user.map(|user| service::user_find(store, &user, caller.scope)).transpose()?;
        let directory = store.directory();
        // what others sent costs nothing
        let of = domain.as_ref().map(|domain| domain.account).or(user.as_ref().map(|user| user.account));
        let account = account.map(Id::new).or(of);
        let its = account.and_then(|account| directory.accounts.get(&account));
        let today = account.map_or_else(|| caller.now.day(), |account| directory.day_of(account, caller.now));
        let period = period(since, until, today)?;
        let is_narrow = account.is_some();
        let is_large = directory.domains.len() > LISTED_MAX || directory.users.len() > LISTED_MAX;
        let mut counts = match is_narrow || !is_large {
            true => store.sent(account, period.before().since, period.until)?,
            false => store.sent_by_all(period.before().since, period.until)?,
        };
        counts.retain(|count| {
            domain.as_ref().is_none_or(|domain| count.domain == Some(domain.id))
                && user.as_ref().is_none_or(|user| count.user == Some(user.id))
        });
        let statistics = Statistics::of(&counts, period);
        Ok(Answer::Statistics(StatisticsView::new(&statistics, period, &directory, (its.map(AsRef::as_ref), whole))))
    }
}

/// The days asked for; where the first is not named, a week.
fn period(since: Option<Day>, until: Option<Day>, today: Day) -> Result<Period, Fault> {
    let until = until.unwrap_or(today);
    let since = since.unwrap_or_else(|| until.before(DAYS_DEFAULT - 1));
    Period::new(since, until).ok_or_else(|| {
        Fault::invalid(
            format!("From {since} to {until} is no period of statistics."),
            format!("Name a first day and a last one that is not before it, at most {DAYS_MAX} days in all."),
        )
        .named("period-wrong", &[("most", &DAYS_MAX)])
    })
}
