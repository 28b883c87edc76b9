//! A message that was accepted, until something of the client's follows: it may never read that, and come once more.
//!
//! After a start nobody knows what followed. Of what Activity has of the last hour, the last message of each session is taken for
//! one that may come again; what is older in its session was followed by it.

use relay::activity::ActivityFilter;
use relay::clock::Timestamp;
use relay::directory::Directory;
use relay::id::SessionId;
use relay::queue::{Envelope, OVER_HTTP};
use relay::repeat::First;
use relay::store::{Store, StoreError};
use relay::submission::Remembered;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::house::{House, blocking};

/// Rows that are looked at after a start, the newest.
const ROWS_MAX: usize = 20_000;
/// Rows that are read at a time.
const ROWS_AT_ONCE: u32 = 1_000;
/// Messages that are remembered after a start.
const MESSAGES_MAX: usize = 2_000;

/// A message whose client has not been heard since; remembered, however its session ends or hangs, until [`Unread::was_read`].
pub(super) struct Unread<S: Store> {
    house: Arc<House<S>>,
    remembered: Remembered,
    is_read: bool,
    /// The client had left before it could be told.
    pub(super) has_left: bool,
}

impl<S: Store> Unread<S> {
    /// A message that was just accepted; none where it is remembered whatever follows, or nothing ever is.
    pub(super) fn new(house: &Arc<House<S>>, envelope: &Envelope, knows_for: Option<Duration>) -> Option<Unread<S>> {
        // a network that dies without a word leaves the session open for minutes, and its client comes again at once
        let remembered = house.submission.remember(envelope, knows_for, house.clock.now())?;
        let ends = knows_for.is_none();
        ends.then(|| Unread { house: Arc::clone(house), remembered, is_read: false, has_left: false })
    }

    /// Something followed: the client has read that it was accepted.
    pub(super) fn was_read(mut self) {
        self.is_read = true;
        self.house.submission.forget(&self.remembered);
    }
}

impl<S: Store> Drop for Unread<S> {
    fn drop(&mut self) {
        if !self.is_read {
            tracing::info!(message_id = %self.remembered.message, "accepted, and the client was not heard since");
        }
    }
}

/// Remembers what may come once more since before the start. To be run beside the sessions.
pub(super) async fn recall<S: Store>(house: Arc<House<S>>) {
    house.store.caught_up().await;
    let (here, now) = (Arc::clone(&house), house.clock.now());
    match blocking(house.offload, move || remember_last(&here, now)).await {
        Ok(count) => tracing::debug!(count, "messages of before the start that may come once more are known"),
        Err(error) => tracing::warn!(%error, "messages of before the start that come once more are not known"),
    }
}

/// Remembers the last message of each session; how many.
fn remember_last<S: Store>(house: &House<S>, now: Timestamp) -> Result<usize, StoreError> {
    let lasts = house.submission.repeat();
    let milliseconds = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
    let since = Some(Timestamp(now.0.saturating_sub(milliseconds)));
    let (mut sessions, mut looked, mut before_row) = (HashSet::new(), 0, None);
    let directory = house.store.directory();
    while looked < ROWS_MAX && sessions.len() < MESSAGES_MAX {
        let filter = ActivityFilter { since, before_row, limit: ROWS_AT_ONCE, ..ActivityFilter::default() };
        let rows = house.store.activity(&filter)?;
        looked += rows.len();
        before_row = rows.last().map(|row| row.row);
        for row in &rows {
            let (Some(_), Some(session)) = (row.message, row.session) else { continue };
            if sessions.len() < MESSAGES_MAX && sessions.insert(session) {
                remember_row(house, &directory, row.row, session, now)?;
            }
        }
        if rows.len() < ROWS_AT_ONCE as usize {
            break;
        }
    }
    Ok(sessions.len())
}

/// Remembers the message of a row.
fn remember_row<S: Store>(
    house: &House<S>,
    directory: &Directory,
    row: u64,
    session: SessionId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(detail) = house.store.activity_detail(row)? else { return Ok(()) };
    let (Some(facts), Some(message), Some(user)) = (detail.facts, detail.row.message, detail.row.user) else {
        return Ok(());
    };
    // over HTTP there are idempotency keys
    if detail.session.is_none_or(|session| session.tls == OVER_HTTP) {
        return Ok(());
    }
    let mut recipients = house.store.recipients_of(message)?;
    recipients.sort_by_key(|recipient| recipient.number);
    let recipients: Vec<String> = recipients.into_iter().map(|recipient| recipient.address).collect();
    let wished = directory.users.get(&user).and_then(|user| user.rules.repeat_seconds).map(Duration::from_secs);
    let until = detail.row.at.after(wished.unwrap_or(house.submission.repeat()));
    let first = First::new(message, session, &facts, until);
    house.submission.remember_first(user, (&facts, &recipients), first, now);
    Ok(())
}
