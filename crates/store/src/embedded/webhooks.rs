//! Calls to webhooks, as `activity.db` keeps them.

use std::collections::HashMap;

use relay::clock::Timestamp;
use relay::id::Id;
use relay::store::{StoreError, Webhooks};
use relay::webhook::{Call, CallId, NewCall, Outlook, Redo, Standing, Tried, Webhook};

use super::Embedded;
use super::ledger::activity::calls::{self, NotAgain};
use crate::rows;

impl Webhooks for Embedded {
    fn webhook_outlooks(&self) -> Result<Vec<Outlook>, StoreError> {
        self.activity.read(calls::outlooks)
    }

    fn webhook_due(&self, webhook: Id<Webhook>, now: Timestamp, limit: usize) -> Result<Vec<Call>, StoreError> {
        self.activity.read(|reader| calls::due(reader, webhook, now, limit))
    }

    fn webhook_tried(&self, tried: &[Tried]) -> Result<(), StoreError> {
        self.activity.write(|writer, bounds| calls::tried(writer, tried, bounds))
    }

    fn webhook_expire(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.activity.write(|writer, bounds| calls::expire(writer, now, bounds))
    }

    fn webhook_put(&self, call: NewCall) -> Result<(), StoreError> {
        let kept = self.activity.write(|writer, bounds| calls::put(writer, &[call], bounds))?;
        if kept == 0 {
            return Err(rows::no_room_for_calls());
        }
        self.activity.called(kept);
        Ok(())
    }

    fn webhook_redo(&self, webhook: Id<Webhook>, which: Redo, now: Timestamp) -> Result<u64, StoreError> {
        let redone = self.activity.write(|writer, bounds| calls::redo(writer, webhook, which, now, bounds))?;
        let redone = redone.map_err(|why| match why {
            NotAgain::Gone => rows::no_call(),
            NotAgain::Full => rows::no_room_for_calls(),
        })?;
        self.activity.called(redone);
        Ok(redone)
    }

    fn webhook_calls(&self, webhook: Id<Webhook>, before: Option<u64>, limit: usize) -> Result<Vec<Call>, StoreError> {
        self.activity.read(|reader| calls::log(reader, webhook, before, limit))
    }

    fn webhook_call(&self, webhook: Id<Webhook>, call: CallId) -> Result<Option<Call>, StoreError> {
        self.activity.read(|reader| calls::one(reader, webhook, call))
    }

    fn webhook_standings(&self) -> Result<HashMap<Id<Webhook>, Standing>, StoreError> {
        self.activity.read(calls::standings)
    }

    async fn webhooks_called(&self, seen: u64) -> u64 {
        self.activity.wait_called(seen).await
    }
}
