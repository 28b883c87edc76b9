//! The model's activity.

use std::collections::BTreeMap;
use std::time::Duration;

use relay::account::Account;
use relay::activity::{ActivityDetail, ActivityFilter, ActivityRow, ConnectionRow, DailyCount, Erased, Status};
use relay::clock::Day;
use relay::id::{Id, MessageId};
use relay::quota::Charges;
use relay::report::Recipient;
use relay::service::SYSTEM_ACCOUNT;
use relay::store::{History, StoreError};

use super::{Memory, Row, State, Verb};
use crate::counters::{Key, Tally};
use crate::rows;

/// Whether the mail of a row is in the queue.
fn is_live(row: &ActivityRow) -> bool {
    matches!(row.status, Status::Accepted | Status::Pending | Status::Deferred)
}

impl State {
    /// An account is deleted: what of it has left the queue is forgotten.
    pub(super) fn account_leaves(&mut self, account: Id<Account>) {
        self.rows.retain(|row| row.detail.row.account != account || is_live(&row.detail.row));
        self.connections.retain(|row| row.notice.account != Some(account));
        self.requests.retain(|(whose, _), _| *whose != Some(account));
        self.quotas_told.remove(&account);
    }
}

impl History for Memory {
    fn activity(&self, filter: &ActivityFilter) -> Result<Vec<ActivityRow>, StoreError> {
        let mut state = self.state();
        state.fault(Verb::History)?;
        let newest_first = state.rows.iter().rev().map(|row| &row.detail.row);
        Ok(newest_first.filter(|row| rows::matches(filter, row)).take(rows::limit(filter)).cloned().collect())
    }

    fn activity_since(&self, cursor: u64, filter: &ActivityFilter) -> Result<(Vec<ActivityRow>, u64), StoreError> {
        let mut state = self.state();
        state.fault(Verb::History)?;
        let mut changed: Vec<&Row> =
            state.rows.iter().filter(|row| row.change > cursor && rows::matches(filter, &row.detail.row)).collect();
        changed.sort_by_key(|row| row.change);
        let has_all = changed.len() <= rows::limit(filter);
        changed.truncate(rows::limit(filter));
        let last = changed.last().map_or(cursor, |row| row.change);
        let next = if has_all { state.change_last } else { last };
        Ok((changed.into_iter().map(|row| row.detail.row.clone()).collect(), next))
    }

    fn activity_cursor(&self) -> Result<u64, StoreError> {
        let mut state = self.state();
        state.fault(Verb::History)?;
        Ok(state.change_last)
    }

    async fn activity_changed(&self, cursor: u64, account: Option<Id<Account>>, patience: Duration) {
        let mut changes = self.shared.changes.subscribe();
        let is_newer = |row: &Row| row.change > cursor && account.is_none_or(|own| row.detail.row.account == own);
        let newer = async {
            while !self.state().rows.iter().any(is_newer) {
                // the sender lives as long as we do
                let _ = changes.changed().await;
            }
        };
        // both a change and the end of patience are answers
        let _ = tokio::time::timeout(patience, newer).await;
    }

    fn activity_detail(&self, row: u64) -> Result<Option<ActivityDetail>, StoreError> {
        let mut state = self.state();
        state.fault(Verb::History)?;
        Ok(state.rows.iter().find(|known| known.detail.row.row == row).map(|known| known.detail.clone()))
    }

    fn connections(
        &self,
        account: Option<Id<Account>>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<ConnectionRow>, StoreError> {
        let mut state = self.state();
        state.fault(Verb::History)?;
        let is_wanted = |row: &&ConnectionRow| {
            (account.is_none() || row.notice.account == account) && before.is_none_or(|before| row.row < before)
        };
        Ok(state.connections.iter().rev().filter(is_wanted).take(limit).cloned().collect())
    }

    fn sent(&self, account: Option<Id<Account>>, since: Day, until: Day) -> Result<Vec<DailyCount>, StoreError> {
        let mut state = self.state();
        state.fault(Verb::History)?;
        let wanted = state.counters.iter().filter(|(key, _)| {
            (since..=until).contains(&key.day) && account.is_none_or(|account| key.account == account)
        });
        Ok(wanted.map(|(key, tally)| tally.shown(key)).collect())
    }

    fn sent_by_all(&self, since: Day, until: Day) -> Result<Vec<DailyCount>, StoreError> {
        let mut state = self.state();
        state.fault(Verb::History)?;
        let mut days: BTreeMap<Day, Tally> = BTreeMap::new();
        for (key, tally) in state.counters.iter().filter(|(key, _)| (since..=until).contains(&key.day)) {
            days.entry(key.day).or_default().add(tally, 1);
        }
        let key = |day| Key { day, account: SYSTEM_ACCOUNT, domain: None, user: None };
        Ok(days.into_iter().map(|(day, tally)| tally.shown(key(day))).collect())
    }

    fn erase(&self, account: Id<Account>, recipient: &str) -> Result<Erased, StoreError> {
        let mut state = self.state();
        state.fault(Verb::History)?;
        let is_its = |row: &ActivityRow| row.account == account && row.recipient.eq_ignore_ascii_case(recipient);
        let (rows, connections, calls) = (state.rows.len(), state.connections.len(), state.calls.len());
        let waiting =
            state.rows.iter().filter(|row| is_its(&row.detail.row) && is_live(&row.detail.row)).count() as u64;
        state.rows.retain(|row| !is_its(&row.detail.row) || is_live(&row.detail.row));
        let names = |row: &ConnectionRow| row.notice.recipient.eq_ignore_ascii_case(recipient);
        state.connections.retain(|row| row.notice.account != Some(account) || !names(row));
        state.calls.retain(|call| call.new.account != account || !rows::tells_of(&call.new.body, recipient));
        let gone = |before: usize, after: usize| (before - after) as u64;
        let erased = Erased {
            rows: gone(rows, state.rows.len()),
            connections: gone(connections, state.connections.len()),
            calls: gone(calls, state.calls.len()),
            waiting,
        };
        state.recount();
        Ok(erased)
    }

    fn recipients_of(&self, message: MessageId) -> Result<Vec<Recipient>, StoreError> {
        let mut state = self.state();
        state.fault(Verb::History)?;
        let is_its = |row: &&Row| row.detail.row.message == Some(message) && row.detail.row.reference.is_empty();
        let reports = &state.reports;
        let recipient = |row: &Row| {
            let number = u16::try_from(row.recipient).ok()?;
            let heard = reports.get(&(message, Some(number))).copied().unwrap_or_default();
            Some(Recipient {
                number,
                address: row.detail.row.recipient.clone(),
                host: row
                    .detail
                    .row
                    .last_attempt
                    .as_ref()
                    .map(|attempt| attempt.host.clone())
                    .filter(|host| !host.is_empty()),
                is_delivered: matches!(row.detail.row.status, Status::Delivered | Status::Complaint),
                is_waiting: is_live(&row.detail.row),
                acted: heard.acted,
            })
        };
        Ok(state.rows.iter().filter(is_its).filter_map(recipient).collect())
    }

    fn charges(&self) -> Result<Charges, StoreError> {
        let mut state = self.state();
        state.fault(Verb::History)?;
        Ok(state.charges.clone())
    }

    async fn caught_up(&self) {}
}
