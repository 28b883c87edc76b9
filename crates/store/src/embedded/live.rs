//! Live mail of the data folder: the spool's verbs, and the lag of its reader.

use bytes::Bytes;
use relay::activity::Notice;
use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::queue::{Envelope, HoldReason, Settlement};
use relay::report::Report;
use relay::store::{Claimed, QueueEntry, Spool, StoreError, StoreHealth};

use super::Embedded;
use super::spool::LogSpool;

impl Spool for Embedded {
    type Draft = <LogSpool as Spool>::Draft;

    fn draft(&self) -> Result<Self::Draft, StoreError> {
        self.spool.draft()
    }

    fn draft_notification(&self) -> Result<Self::Draft, StoreError> {
        self.spool.draft_notification()
    }

    async fn commit(&self, envelope: Envelope, draft: Self::Draft) -> Result<(), StoreError> {
        self.spool.commit(envelope, draft).await
    }

    async fn claim(&self, message: MessageId) -> Result<Option<Claimed>, StoreError> {
        self.spool.claim(message).await
    }

    fn unclaim(&self, message: MessageId) {
        self.spool.unclaim(message);
    }

    fn seal(&self, message: MessageId, seal: Bytes) {
        self.spool.seal(message, seal);
    }

    async fn settle(&self, settlement: Settlement) -> Result<(), StoreError> {
        self.spool.settle(settlement).await
    }

    async fn report(&self, report: Report) -> Result<(), StoreError> {
        self.spool.report(report).await
    }

    async fn hold_some(
        &self,
        message: MessageId,
        recipients: Option<Vec<u16>>,
        reason: HoldReason,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.spool.hold_some(message, recipients, reason, now).await
    }

    async fn release_some(
        &self,
        message: MessageId,
        recipients: Option<Vec<u16>>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.spool.release_some(message, recipients, now).await
    }

    fn queue(&self, after: Option<MessageId>, limit: usize) -> Vec<QueueEntry> {
        self.spool.queue(after, limit)
    }

    async fn peek(&self, message: MessageId) -> Result<Option<Claimed>, StoreError> {
        self.spool.peek(message).await
    }

    fn note(&self, notices: Vec<Notice>) {
        self.spool.note(notices);
    }

    fn health(&self) -> StoreHealth {
        let mut health = self.spool.health();
        health.activity_lag_octets = self.spool.synced().0.saturating_sub(self.activity.position().0);
        health.activity_stopped = self.activity.fault().or_else(|| self.charged.fault());
        health
    }

    fn is_latched(&self) -> bool {
        self.spool.is_latched()
    }
}
