//! The model's calls to webhooks.

use std::collections::HashMap;

use relay::activity::ActivityRow;
use relay::clock::Timestamp;
use relay::cursor::CursorKey;
use relay::id::Id;
use relay::store::{StoreError, Webhooks};
use relay::webhook::{
    self, Bounds, Call, CallId, CallState, NewCall, Outlook, RETRY_FOR, Redo, Standing, Tried, Verdict, Webhook,
};

use super::{CURSOR_KEY, Memory, State};
use crate::rows;

impl Memory {
    /// An empty store that keeps so much of each webhook.
    pub fn with_webhook_bounds(bounds: Bounds) -> Self {
        let memory = Memory::new();
        memory.state().webhook_bounds = bounds;
        memory
    }

    /// Does something to the calls, then tells those who wait for some.
    fn called<T>(&self, work: impl FnOnce(&mut State) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.change(work)
    }
}

impl State {
    /// The calls that a row gives rise to that has come into its status.
    pub(super) fn tell(&mut self, row: &ActivityRow, place: usize) {
        let directory = std::sync::Arc::clone(&self.register.directory);
        if directory.webhooks.is_empty() {
            return;
        }
        let webhooks = directory.webhooks_of(row.account).map(AsRef::as_ref);
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        for call in webhook::calls(webhooks, row, place, &CursorKey::new(CURSOR_KEY)) {
            self.put_call(call);
        }
    }

    /// Keeps a call, as far as there is room; whether there was.
    fn put_call(&mut self, new: NewCall) -> bool {
        let room = self.webhook_bounds.waiting_max;
        let standing = self.standings.entry(new.webhook).or_default();
        if standing.waiting >= room {
            standing.dropped += 1;
            standing.dropped_at = Some(new.at);
            return false;
        }
        standing.waiting += 1;
        self.call_last += 1;
        let (due, until) = (new.at, new.at.after(RETRY_FOR));
        let state = CallState::Waiting;
        self.calls.push(Call { number: self.call_last, new, state, due, until, attempts: 0, last: None });
        true
    }

    /// The webhook is gone, and its calls with it.
    pub(super) fn webhook_gone(&mut self, webhook: Id<Webhook>) {
        self.webhook_secrets.remove(&webhook);
        self.calls.retain(|call| call.new.webhook != webhook);
        self.standings.remove(&webhook);
    }

    /// Counts what waits anew; the oldest calls of logs go.
    pub(super) fn recount(&mut self) {
        let log_max = usize::try_from(self.webhook_bounds.log_max).unwrap_or(usize::MAX);
        for (webhook, standing) in &mut self.standings {
            let of = |call: &&Call| call.new.webhook == *webhook;
            standing.waiting =
                self.calls.iter().filter(of).filter(|call| call.state == CallState::Waiting).count() as u64;
            let ended = self.calls.iter().filter(of).filter(|call| call.state != CallState::Waiting);
            let ended: Vec<u64> = ended.map(|call| call.number).collect();
            let kept_from = ended.len().checked_sub(log_max).and_then(|more| ended.get(more)).copied().unwrap_or(0);
            let is_old = |call: &Call| call.state != CallState::Waiting && call.number < kept_from;
            self.calls.retain(|call| call.new.webhook != *webhook || !is_old(call));
        }
    }

    fn calls_of(&mut self, webhook: Id<Webhook>) -> impl DoubleEndedIterator<Item = &mut Call> {
        self.calls.iter_mut().filter(move |call| call.new.webhook == webhook)
    }
}

impl Webhooks for Memory {
    fn webhook_outlooks(&self) -> Result<Vec<Outlook>, StoreError> {
        let state = self.state();
        let mut outlooks: HashMap<Id<Webhook>, Outlook> = HashMap::new();
        for call in state.calls.iter().filter(|call| call.state == CallState::Waiting) {
            let NewCall { webhook, account, .. } = call.new;
            let none = Outlook { webhook, account, waiting: 0, due: call.due };
            let outlook = outlooks.entry(webhook).or_insert(none);
            outlook.waiting += 1;
            outlook.due = outlook.due.min(call.due);
        }
        Ok(outlooks.into_values().collect())
    }

    fn webhook_due(&self, webhook: Id<Webhook>, now: Timestamp, limit: usize) -> Result<Vec<Call>, StoreError> {
        let mut state = self.state();
        let due = state.calls_of(webhook).filter(|call| call.state == CallState::Waiting && call.due <= now);
        let mut due: Vec<Call> = due.map(|call| call.clone()).collect();
        due.sort_by_key(|call| (call.due, call.number));
        due.truncate(limit);
        Ok(due)
    }

    fn webhook_tried(&self, tried: &[Tried]) -> Result<(), StoreError> {
        let mut state = self.state();
        for Tried { webhook, number, call, last, verdict } in tried {
            let meant = |known: &&mut Call| (known.number, known.new.call) == (*number, *call);
            let Some(known) = state.calls_of(*webhook).find(meant) else { continue };
            if known.state != CallState::Waiting {
                continue;
            }
            known.attempts += 1;
            known.last = Some(last.clone());
            match verdict {
                Verdict::Again(due) => known.due = *due,
                Verdict::Delivered => known.state = CallState::Delivered,
                Verdict::Failed | Verdict::Gone => known.state = CallState::Failed,
            }
        }
        state.recount();
        Ok(())
    }

    fn webhook_expire(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut state = self.state();
        let mut expired = 0;
        for call in state.calls.iter_mut().filter(|call| call.state == CallState::Waiting && call.until <= now) {
            call.state = CallState::Failed;
            expired += 1;
        }
        state.recount();
        Ok(expired)
    }

    fn webhook_put(&self, call: NewCall) -> Result<(), StoreError> {
        self.called(|state| {
            let kept = state.put_call(call);
            state.change_last += 1;
            if kept { Ok(()) } else { Err(rows::no_room_for_calls()) }
        })
    }

    fn webhook_redo(&self, webhook: Id<Webhook>, which: Redo, now: Timestamp) -> Result<u64, StoreError> {
        self.called(|state| {
            let waiting = state.standings.get(&webhook).map_or(0, |standing| standing.waiting);
            let room = state.webhook_bounds.waiting_max.saturating_sub(waiting);
            let meant = |call: &&mut Call| match which {
                Redo::One(id) => call.new.call == id,
                Redo::FailedSince(since) => call.state == CallState::Failed && call.new.at >= since,
            };
            let (mut redone, mut begun) = (0, 0);
            for call in state.calls_of(webhook).filter(meant) {
                if call.state != CallState::Waiting {
                    if begun == room {
                        break;
                    }
                    begun += 1;
                    (call.state, call.attempts, call.until) = (CallState::Waiting, 0, now.after(RETRY_FOR));
                }
                call.due = now;
                redone += 1;
            }
            let is_there = state.calls_of(webhook).any(|mut call| meant(&mut call));
            state.recount();
            state.change_last += 1;
            match (which, redone) {
                (Redo::One(_), 0) if is_there => Err(rows::no_room_for_calls()),
                (Redo::One(_), 0) => Err(rows::no_call()),
                _ => Ok(redone),
            }
        })
    }

    fn webhook_calls(&self, webhook: Id<Webhook>, before: Option<u64>, limit: usize) -> Result<Vec<Call>, StoreError> {
        let mut state = self.state();
        let older = state.calls_of(webhook).rev().filter(|call| before.is_none_or(|before| call.number < before));
        Ok(older.take(limit).map(|call| call.clone()).collect())
    }

    fn webhook_call(&self, webhook: Id<Webhook>, call: CallId) -> Result<Option<Call>, StoreError> {
        let mut state = self.state();
        let found = state.calls_of(webhook).find(|known| known.new.call == call);
        Ok(found.map(|found| found.clone()))
    }

    fn webhook_standings(&self) -> Result<HashMap<Id<Webhook>, Standing>, StoreError> {
        Ok(self.state().standings.clone())
    }

    /// The mark is the change cursor: whoever waits is woken by any change.
    async fn webhooks_called(&self, seen: u64) -> u64 {
        let mut changes = self.shared.changes.subscribe();
        let changed = changes.wait_for(|last| *last > seen).await;
        changed.map_or(seen, |last| *last)
    }
}
