//! Looks at what was counted, puts automatic brakes on, and tells people by mail and webhooks.

pub(crate) mod kept;

use relay::account::Account;
use relay::brake::{Brake, Subject, WEEK, Watch};
use relay::clock::{Day, Timestamp};
use relay::directory::Directory;
use relay::member::Member;
use relay::store::{Store, StoreError};
use relay::webhook::{self, CallId, NewCall, RETRY_FOR};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use web::letters::BrakeNews;

use net::own_mail::OwnMailError;
use net::shutdown::Shutdown;

use crate::execute::Executor;
use crate::people::{self, Person};

/// How often bounces are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often the daily counters are: each so many looks.
const COUNTS_EVERY: u64 = 3;

/// How often what ended is written down: each so many looks.
const KEPT_EVERY: u64 = 12;

/// How often what everybody is used to is learnt anew, and complaints about earlier mail of the week are looked at.
const LEARNT_FOR: Duration = Duration::from_secs(3600);

/// Which brake went to which address: kept while the relay runs, so that what could not be noted is not told again.
type Sent = HashSet<(Subject, Timestamp, String)>;

/// What is remembered from look to look.
struct Looking {
    /// Where what ended is written down.
    file: PathBuf,
    watch: Watch,
    looks: u64,
    /// When what everybody is used to was learnt, and up to which day.
    learnt: Option<(Timestamp, Day)>,
}

/// Looks until shutdown; what ended is written to this file.
pub(crate) async fn watch<S: Store>(executor: Arc<Executor<S>>, file: PathBuf, shutdown: Shutdown) {
    let begin = || Looking { file: file.clone(), watch: Watch::new(&executor.limits), looks: 0, learnt: None };
    let mut looking = Some(begin());
    let mut sent = Sent::new();
    let mut called = HashSet::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shutdown.begun() => return,
        }
        let Some(now_looking) = looking.take() else { return };
        let (executor_of_look, look) = (Arc::clone(&executor), now_looking);
        let looked = tokio::task::spawn_blocking(move || {
            let mut look = look;
            let found = look.put_on(&executor_of_look);
            (look, found)
        });
        match looked.await {
            Ok((back, found)) => {
                looking = Some(back);
                if let Err(error) = found {
                    tracing::warn!(%error, "what is counted for the automatic brakes could not be looked at");
                }
            }
            Err(error) => {
                tracing::error!(%error, "the look for the automatic brakes broke off");
                looking = Some(begin());
            }
        }
        called = call(&executor, called).await;
        if let Err(error) = tell(&executor, &mut sent).await {
            tracing::warn!(%error, "an automatic brake was not told to all");
        }
    }
}

impl Looking {
    /// Puts on what has to be.
    fn put_on<S: Store>(&mut self, executor: &Executor<S>) -> anyhow::Result<()> {
        let Some(running) = &executor.running else { return Ok(()) };
        let (directory, now) = (executor.store.directory(), executor.clock.now());
        // what was counted first: late bounces are compared with it
        let is_due = self.looks.is_multiple_of(COUNTS_EVERY);
        let by_counts = if is_due { self.by_counts(executor, &directory, now) } else { Ok(Vec::new()) };
        let totals = running.ended.lock().unwrap_or_else(PoisonError::into_inner).totals(now);
        let by_bounces = self.watch.by_bounces(&directory.brakes, &totals, now);
        self.looks += 1;
        if self.looks.is_multiple_of(KEPT_EVERY) {
            kept::save(&self.file, &running.ended, now);
        }
        let put_on = |found: Vec<Brake>| -> anyhow::Result<()> {
            for brake in found {
                let Brake { subject, account, cause, counted, of, .. } = brake;
                if executor.store.brake_put_on(brake)? {
                    tracing::warn!(brake = %subject, %account, ?cause, counted, of, "an automatic brake goes on");
                    running.dispatch.directory_changed();
                }
            }
            Ok(())
        };
        // that the counters cannot be read stops no brake for what bounced
        put_on(by_bounces)?;
        put_on(by_counts?)
    }

    fn by_counts<S: Store>(
        &mut self,
        executor: &Executor<S>,
        directory: &Directory,
        now: Timestamp,
    ) -> anyhow::Result<Vec<Brake>> {
        let own_day = |account| directory.day_of(account, now);
        // somewhere it is yesterday still, and elsewhere tomorrow already
        let (earliest, latest) = (now.day().before(1), now.day().ahead(1));
        let is_learnt = self.learnt.is_some_and(|(at, day)| day == now.day() && now.since(at) < LEARNT_FOR);
        let mut found = Vec::new();
        if !is_learnt {
            let week = executor.store.sent(None, earliest.before(WEEK), latest)?;
            self.watch.learn(&week, own_day);
            found = self.watch.by_late_complaints(&directory.brakes, &week, own_day, now);
            self.learnt = Some((now, now.day()));
        }
        let counts = executor.store.sent(None, earliest.before(1), latest)?;
        found.extend(self.watch.by_counts(&directory.brakes, &counts, own_day, now));
        Ok(found)
    }
}

/// Has webhooks told of the brakes that went on or were released lately, but for the calls that were made before; those that
/// are made now. What is made a second time, after a restart, has the id that it had and changes nothing.
async fn call<S: Store>(executor: &Arc<Executor<S>>, called: HashSet<CallId>) -> HashSet<CallId> {
    let (directory, now) = (executor.store.directory(), executor.clock.now());
    if directory.brakes.is_empty() || directory.webhooks.is_empty() {
        return called;
    }
    let calls: Vec<NewCall> =
        directory.brakes.values().flat_map(|brake| webhook::brake_calls(&directory, brake)).collect();
    let store = Arc::clone(&executor.store);
    let making = tokio::task::spawn_blocking(move || {
        let lately = calls.into_iter().filter(|call| now.since(call.at) < RETRY_FOR);
        let made = lately.filter_map(|new| {
            let call = new.call;
            let kept = if called.contains(&call) { Ok(()) } else { store.webhook_put(new) };
            match kept {
                // there already, or there is no room: that is counted, and so it is with every event
                Ok(()) | Err(StoreError::Conflict(_)) => Some(call),
                Err(error) => {
                    tracing::warn!(%error, "webhooks could not be told of a brake; it is tried again");
                    None
                }
            }
        });
        made.collect()
    });
    making.await.unwrap_or_default()
}

/// Writes to the administrators of the account, and to the operator's people, of each brake that they were not told of.
async fn tell<S: Store>(executor: &Arc<Executor<S>>, sent: &mut Sent) -> anyhow::Result<()> {
    let Some(running) = &executor.running else { return Ok(()) };
    if running.mail.is_ready().is_err() {
        return Ok(());
    }
    let directory = executor.store.directory();
    for brake in directory.brakes.values().filter(|brake| brake.is_on() && !brake.told) {
        let Some(account) = directory.accounts.get(&brake.account) else { continue };
        for person in people::of_account(&directory, account) {
            let url = executor.console.as_ref().map(|console| format!("{console}/brakes"));
            write(executor, (brake, account, &directory), person, url, sent).await?;
        }
        for person in people::of_operator(&directory) {
            let url = executor.console.as_ref().map(|console| format!("{console}/operator/brakes"));
            write(executor, (brake, account, &directory), person, url, sent).await?;
        }
        // noted once it is on its way: a crash in between repeats it, and none is missed
        let (store, subject) = (Arc::clone(&executor.store), brake.subject);
        tokio::task::spawn_blocking(move || store.brake_told(subject)).await??;
    }
    Ok(())
}

async fn write<S: Store>(
    executor: &Arc<Executor<S>>,
    (brake, account, directory): (&Brake, &Account, &Directory),
    person: Person,
    url: Option<String>,
    sent: &mut Sent,
) -> anyhow::Result<()> {
    let Some(running) = &executor.running else { return Ok(()) };
    let mark = (brake.subject, brake.since, Member::key_of(&person.address));
    if sent.contains(&mark) {
        return Ok(());
    }
    let user = match brake.subject {
        Subject::User(user) => directory.users.get(&user).map(|user| user.name.as_str()),
        Subject::Account(_) => None,
    };
    let reference = brake.subject.to_string();
    let news = BrakeNews {
        account: &account.name,
        user,
        reference: &reference,
        cause: brake.cause,
        counted: brake.counted,
        of: brake.of,
        url: url.as_deref(),
    };
    let letter = web::letters::brake(person.language, &person.name, news);
    match running.mail.send(&person.note(letter)).await {
        Ok(message) => tracing::info!(message_id = %message, brake = %reference, "an automatic brake was told by mail"),
        // an address that cannot be written to keeps nobody else from being told
        Err(error @ OwnMailError::NoAddress(_)) => {
            tracing::warn!(%error, brake = %reference, "an automatic brake was not told to one address")
        }
        Err(error) => return Err(error.into()),
    }
    sent.insert(mark);
    Ok(())
}
