//! Tells an account's administrators and contacts how much of their quota is used, by mail.

use relay::account::Account;
use relay::clock::Day;
use relay::id::Id;
use relay::member::Member;
use relay::quota::alert::{self, Told};
use relay::store::Store;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use net::own_mail::OwnMailError;
use net::shutdown::Shutdown;

use crate::execute::Executor;
use crate::people;

/// How often quotas are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// An alert that is to be sent.
struct Alert {
    account: Arc<Account>,
    told: Told,
    used: u64,
    quota: u64,
    renews: String,
}

/// Which account's alert went to which address, of which step of which period: kept while the relay runs, so that what
/// could not be noted is not told again.
type Sent = HashSet<(Id<Account>, String, Day, u8)>;

/// Looks at the quotas until shutdown.
pub(crate) async fn watch<S: Store>(executor: Arc<Executor<S>>, shutdown: Shutdown) {
    let mut sent = Sent::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shutdown.begun() => return,
        }
        if let Err(error) = look(&executor, &mut sent).await {
            tracing::warn!(%error, "quotas could not be looked at for alerts");
        }
    }
}

async fn look<S: Store>(executor: &Arc<Executor<S>>, sent: &mut Sent) -> anyhow::Result<()> {
    let Some(running) = &executor.running else { return Ok(()) };
    if running.mail.is_ready().is_err() {
        return Ok(());
    }
    let looking = Arc::clone(executor);
    for alert in tokio::task::spawn_blocking(move || due(&looking)).await?? {
        // one account's trouble is not the others'
        if let Err(error) = tell(executor, &alert, sent).await {
            tracing::warn!(%error, account = %alert.account.id, "a quota alert was not sent to all");
            continue;
        }
        // noted once it is on its way: a crash in between repeats it, and none is missed
        let (store, account, told) = (Arc::clone(&executor.store), alert.account.id, alert.told);
        tokio::task::spawn_blocking(move || store.quota_told(account, told)).await??;
    }
    Ok(())
}

/// Every account whose people are to be told something.
fn due<S: Store>(executor: &Executor<S>) -> anyhow::Result<Vec<Alert>> {
    let (directory, now) = (executor.store.directory(), executor.clock.now());
    let (used_by, told) = (executor.used()?, executor.store.quotas_told()?);
    let mut alerts = Vec::new();
    for account in directory.accounts.values() {
        let today = account.day(now);
        // who has no plan is told so by the answer to a request and by their pages
        if account.standing(today).plan().is_none() {
            continue;
        }
        let quota = account.quota(&directory.plans, today);
        let Some(recipients) = quota.recipients else { continue };
        let (used, period) = (used_by(account, today), quota.period(today));
        if let Some(step) = alert::due(used, recipients, period, told.get(&account.id).copied()) {
            let (account, told) = (Arc::clone(account), Told { period: period.begins, step });
            alerts.push(Alert { account, told, used, quota: recipients, renews: period.renews.to_string() });
        }
    }
    Ok(alerts)
}

/// Writes to each administrator and contact of the account, in their language.
async fn tell<S: Store>(executor: &Arc<Executor<S>>, alert: &Alert, sent: &mut Sent) -> anyhow::Result<()> {
    let Some(running) = &executor.running else { return Ok(()) };
    let Alert { account, told, used, quota, renews } = alert;
    for person in people::of_account(&executor.store.directory(), account) {
        let mark = (account.id, Member::key_of(&person.address), told.period, told.step);
        if sent.contains(&mark) {
            continue;
        }
        let (counted, until) = ((*used, *quota), (renews.as_str(), account.time_zone.name()));
        let letter = web::letters::quota(person.language, &person.name, &account.name, told.step, counted, until);
        match running.mail.send(&person.note(letter)).await {
            Ok(message) => {
                tracing::info!(message_id = %message, account = %account.id, step = told.step, "a quota alert was sent")
            }
            // an address that cannot be written to keeps nobody else from being told
            Err(error @ OwnMailError::NoAddress(_)) => {
                tracing::warn!(%error, account = %account.id, "a quota alert was not sent to one address")
            }
            Err(error) => return Err(error.into()),
        }
        sent.insert(mark);
    }
    Ok(())
}
