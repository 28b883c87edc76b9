//! Statistics: the daily counters of a period and of the one before, of an account, a domain or an SMTP user.

use relay::clock::Day;
use relay::id::Id;
use relay::service::operation::{Answer, Operation};
use relay::service::view::StatisticsView;
use relay::service::{self, Caller, Fault};
use relay::statistics::{DAYS_DEFAULT, DAYS_MAX, Period, Statistics};
use relay::store::Store;

use super::{Executor, misplaced};

impl<S: Store> Executor<S> {
    pub(super) fn statistics(&self, operation: Operation, caller: Caller<'_>) -> Result<Answer, Fault> {
        let Operation::Statistics { account, domain, user, since, until } = operation else { return Err(misplaced()) };
        let store = self.store.as_ref();
        let period = period(since, until, caller.now.day())?;
        let whole = account.filter(|_| domain.is_none() && user.is_none()).map(Id::new);
        let domain = domain.map(|domain| service::domain_find(store, &domain, caller.scope)).transpose()?;
        let user = user.map(|user| service::user_find(store, &user, caller.scope)).transpose()?;
        let mut counts = store.sent(account.map(Id::new), period.before().since, period.until)?;
        counts.retain(|count| {
            domain.as_ref().is_none_or(|domain| count.domain == Some(domain.id))
                && user.as_ref().is_none_or(|user| count.user == Some(user.id))
        });
        let statistics = Statistics::of(&counts, period);
        Ok(Answer::Statistics(StatisticsView::new(&statistics, period, &store.directory(), whole)))
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
