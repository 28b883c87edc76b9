//! The model's live mail.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use relay::activity::{ActivityDetail, ConnectionRow, Notice, Status};
use relay::clock::Timestamp;
use relay::id::MessageId;
use relay::queue::{Envelope, HoldReason, Outcome, RecipientState, Settlement, TlsWish};
use relay::quota::Charge;
use relay::report::Report;
use relay::store::{Claimed, Content, Draft, QueueEntry, Spool, StoreError, StoreHealth};

use super::{Live, Memory, Row, State, Verb};
use crate::counters::Key;
use crate::reports::{Effect, REPORTS_MAX};
use crate::rows;

/// Content being received.
#[derive(Debug)]
pub struct MemoryDraft {
    memory: Memory,
    content: BytesMut,
}

impl Draft for MemoryDraft {
    async fn append(&mut self, octets: Bytes) -> Result<(), StoreError> {
        self.memory.state().fault(Verb::Append)?;
        self.content.extend_from_slice(&octets);
        Ok(())
    }

    fn octets(&self) -> u64 {
        self.content.len() as u64
    }
}

impl Live {
    fn lend(&self) -> Claimed {
        Claimed {
            envelope: Arc::clone(&self.envelope),
            recipients: self.recipients.clone(),
            seal: self.seal.clone(),
            content: Content::Held(self.content.clone()),
        }
    }

    fn is_settled(&self) -> bool {
        self.recipients.iter().all(|state| *state == RecipientState::Settled)
    }
}

impl State {
    fn add_row(&mut self, mut detail: ActivityDetail, recipient: usize, days_ahead: i8) {
        self.row_last += 1;
        self.change_last += 1;
        detail.row.row = self.row_last;
        self.tell(&detail.row, recipient);
        self.rows.push(Row { detail, change: self.change_last, recipient, days_ahead });
    }

    fn add_rows(&mut self, envelope: &Envelope) {
        for (recipient, row) in rows::accepted(envelope).into_iter().enumerate() {
            let detail = ActivityDetail {
                events: vec![rows::event(&row)],
                row,
                facts: Some(envelope.facts.clone()),
                priority: Some(envelope.priority),
                session: envelope.session.clone(),
            };
            self.counters.begin(Key::of(&detail.row, envelope.days_ahead), detail.row.status);
            self.add_row(detail, recipient, envelope.days_ahead);
        }
    }

    /// The row of a recipient, marked as changed.
    fn row(&mut self, message: MessageId, recipient: usize) -> Option<&mut Row> {
        let row =
            self.rows.iter_mut().find(|row| row.recipient == recipient && row.detail.row.message == Some(message))?;
        self.change_last += 1;
        row.change = self.change_last;
        Some(row)
    }

    fn settle(&mut self, settlement: &Settlement) -> Result<(), StoreError> {
        let live = self.live(settlement.message)?;
        let mut changed = Vec::new();
        for verdict in &settlement.verdicts {
            let Some(state) = live.recipients.get_mut(usize::from(verdict.recipient)) else { continue };
            let more = u32::from(settlement.attempt.is_some());
            *state = match (&*state, verdict.outcome) {
                (RecipientState::Settled, _) => continue,
                (RecipientState::Waiting { attempts, .. }, Outcome::Deferred { until }) => {
                    RecipientState::Waiting { due: until, attempts: attempts + more }
                }
                (RecipientState::Held { reason, attempts }, Outcome::Deferred { .. }) => {
                    RecipientState::Held { reason: *reason, attempts: attempts + more }
                }
                _ => RecipientState::Settled,
            };
            changed.push((verdict, state.clone()));
        }
        if live.is_settled() {
            self.live.remove(&settlement.message);
        }
        for (verdict, state) in changed {
            let Some(Row { detail, days_ahead, .. }) = self.row(settlement.message, usize::from(verdict.recipient))
            else {
                continue;
            };
            let before = detail.row.status;
            let event = rows::settle(&mut detail.row, settlement, verdict);
            detail.events.push(event);
            let told = detail.row.clone();
            if let RecipientState::Held { reason, .. } = state {
                let event = rows::hold(&mut detail.row, reason, settlement.at);
                detail.events.push(event);
            }
            let (key, after) = (Key::of(&detail.row, *days_ahead), detail.row.status);
            self.counters.change(key, before, after);
            self.tell(&told, usize::from(verdict.recipient));
        }
        Ok(())
    }

    fn hold(
        &mut self,
        message: MessageId,
        some: Option<&[u16]>,
        reason: HoldReason,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let live = self.live(message)?;
        let mut changed = Vec::new();
        for (number, state) in live.recipients.iter_mut().enumerate().filter(|(number, _)| is_among(*number, some)) {
            let attempts = match *state {
                RecipientState::Waiting { attempts, .. } => attempts,
                RecipientState::Held { reason: held, attempts } if reason.outlasts(held) => attempts,
                RecipientState::Held { .. } | RecipientState::Settled => continue,
            };
            *state = RecipientState::Held { reason, attempts };
            changed.push(number);
        }
        for number in changed {
            if let Some(Row { detail, .. }) = self.row(message, number) {
                let event = rows::hold(&mut detail.row, reason, now);
                detail.events.push(event);
            }
        }
        Ok(())
    }

    fn release(&mut self, message: MessageId, some: Option<&[u16]>, now: Timestamp) -> Result<(), StoreError> {
        let live = self.live(message)?;
        let mut changed = Vec::new();
        for (number, state) in live.recipients.iter_mut().enumerate().filter(|(number, _)| is_among(*number, some)) {
            if let RecipientState::Held { attempts, .. } = *state {
                *state = RecipientState::Waiting { due: now, attempts };
                changed.push(number);
            }
        }
        for number in changed {
            if let Some(Row { detail, .. }) = self.row(message, number) {
                let event = rows::release(&mut detail.row, now);
                detail.events.push(event);
            }
        }
        Ok(())
    }

    fn report(&mut self, report: &Report) {
        let known = (report.message, report.recipient);
        let mut heard = self.reports.get(&known).copied().unwrap_or_default();
        let row = |row: &&Row| row.detail.row.message == Some(report.message);
        let its: Vec<(usize, Status)> =
            self.rows.iter().filter(row).map(|row| (row.recipient, row.detail.row.status)).collect();
        let named = report.recipient.map(usize::from);
        match (named, its.iter().find(|(number, _)| Some(*number) == named)) {
            (Some(number), Some((_, status))) => {
                let effect = heard.take(report, Some(*status), REPORTS_MAX);
                self.reported(report, number, effect);
            }
            (Some(_), None) => {
                if let Effect::Becomes(before, after) = heard.take(report, None, REPORTS_MAX) {
                    let key =
                        Key { day: report.day(), account: report.account, domain: report.domain, user: report.user };
                    self.counters.change(key, before, after);
                }
            }
            (None, _) if its.is_empty() => {}
            (None, _) => {
                if heard.take(report, Some(Status::Delivered), REPORTS_MAX) != Effect::Nothing {
                    let left = |status| {
                        !matches!(status, Status::Rejected | Status::Accepted | Status::Pending | Status::Deferred)
                    };
                    for (number, _) in its.into_iter().filter(|(_, status)| left(*status)) {
                        self.reported(report, number, Effect::Remark);
                    }
                }
            }
        }
        self.reports.insert(known, heard);
    }

    fn reported(&mut self, report: &Report, number: usize, effect: Effect) {
        if effect == Effect::Nothing {
            return;
        }
        let Some(Row { detail, days_ahead, .. }) = self.row(report.message, number) else { return };
        let event = rows::report(&mut detail.row, report, effect);
        detail.events.push(event);
        let (told, key) = (detail.row.clone(), Key::of(&detail.row, *days_ahead));
        if let Effect::Becomes(before, after) = effect {
            self.counters.change(key, before, after);
            self.tell(&told, number);
        }
    }

    fn note(&mut self, notice: Notice) {
        let Some(row) = rows::rejected(&notice) else { return self.note_connection(notice) };
        let alike = self.rows.iter_mut().rev().find(|known| {
            let known = &known.detail.row;
            known.message.is_none() && rows::alike_rows(known, &row) && notice.at.since(known.at) < rows::FOLD
        });
        match alike {
            Some(known) => {
                self.change_last += 1;
                known.change = self.change_last;
                known.detail.row.count += row.count;
                known.detail.row.updated_at = known.detail.row.updated_at.max(notice.at);
            }
            None => {
                let events = vec![rows::event(&row)];
                let session = Some(rows::session_of(&notice));
                self.add_row(ActivityDetail { row, facts: None, priority: None, session, events }, 0, 0);
            }
        }
    }

    fn note_connection(&mut self, mut notice: Notice) {
        notice.count = notice.count.max(1);
        let alike = self.connections.iter_mut().rev().find(|known| {
            rows::alike_connections(&known.notice, &notice) && notice.at.since(known.notice.at) < rows::FOLD
        });
        if let Some(known) = alike {
            known.notice.count += notice.count;
            known.updated_at = known.updated_at.max(notice.at);
        } else {
            self.connection_last += 1;
            self.connections.push(ConnectionRow { row: self.connection_last, updated_at: notice.at, notice });
        }
    }
}

impl Spool for Memory {
    type Draft = MemoryDraft;

    fn draft(&self) -> Result<MemoryDraft, StoreError> {
        self.state().fault(Verb::Draft)?;
        Ok(MemoryDraft { memory: self.clone(), content: BytesMut::new() })
    }

    async fn commit(&self, envelope: Envelope, draft: MemoryDraft) -> Result<(), StoreError> {
        self.change(|state| {
            state.fault(Verb::Commit)?;
            state.add_rows(&envelope);
            state.charges.extend(Charge::of(&envelope));
            let waiting = RecipientState::Waiting { due: envelope.accepted_at, attempts: 0 };
            let live = Live {
                recipients: vec![waiting; envelope.recipients.len()],
                content: draft.content.freeze(),
                seal: None,
                is_claimed: false,
                envelope: Arc::new(envelope),
            };
            if !live.is_settled() {
                state.live.insert(live.envelope.message, live);
            }
            Ok(())
        })
    }

    async fn claim(&self, message: MessageId) -> Result<Option<Claimed>, StoreError> {
        let mut state = self.state();
        state.fault(Verb::Claim)?;
        let live = state.live.get_mut(&message).filter(|live| !live.is_claimed);
        Ok(live.map(|live| {
            live.is_claimed = true;
            live.lend()
        }))
    }

    fn unclaim(&self, message: MessageId) {
        if let Some(live) = self.state().live.get_mut(&message) {
            live.is_claimed = false;
        }
    }

    fn seal(&self, message: MessageId, seal: Bytes) {
        if let Some(live) = self.state().live.get_mut(&message) {
            live.seal = Some(seal);
        }
    }

    async fn settle(&self, settlement: Settlement) -> Result<(), StoreError> {
        self.change(|state| {
            state.fault(Verb::Settle)?;
            state.settle(&settlement)
        })
    }

    async fn report(&self, report: Report) -> Result<(), StoreError> {
        self.change(|state| {
            state.fault(Verb::Settle)?;
            state.report(&report);
            Ok(())
        })
    }

    async fn hold_some(
        &self,
        message: MessageId,
        recipients: Option<Vec<u16>>,
        reason: HoldReason,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(|state| {
            state.fault(Verb::Settle)?;
            state.hold(message, recipients.as_deref(), reason, now)
        })
    }

    async fn release_some(
        &self,
        message: MessageId,
        recipients: Option<Vec<u16>>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(|state| {
            state.fault(Verb::Settle)?;
            state.release(message, recipients.as_deref(), now)
        })
    }

    fn queue(&self, after: Option<MessageId>, limit: usize) -> Vec<QueueEntry> {
        let state = self.state();
        let later = state.live.values().filter(|live| after.is_none_or(|after| live.envelope.message > after));
        later
            .take(limit)
            .map(|live| QueueEntry {
                message: live.envelope.message,
                account: live.envelope.account,
                domain: live.envelope.domain,
                accepted_at: live.envelope.accepted_at,
                class: live.envelope.priority.class(),
                waives_tls: live.envelope.way_wish() == TlsWish::Waived,
                recipients: waiting(live),
            })
            .collect()
    }

    async fn peek(&self, message: MessageId) -> Result<Option<Claimed>, StoreError> {
        let mut state = self.state();
        state.fault(Verb::Claim)?;
        Ok(state.live.get(&message).map(Live::lend))
    }

    fn note(&self, notices: Vec<Notice>) {
        self.change(|state| {
            for notice in notices {
                state.note(notice);
            }
        });
    }

    fn health(&self) -> StoreHealth {
        let state = self.state();
        let unsettled = |live: &Live| live.recipients.iter().filter(|s| **s != RecipientState::Settled).count();
        StoreHealth {
            latched: state.latched.clone(),
            messages: state.live.len() as u64,
            recipients: state.live.values().map(|live| unsettled(live) as u64).sum(),
            spool_octets: state.live.values().map(|live| live.content.len() as u64).sum(),
            ..StoreHealth::default()
        }
    }

    fn is_latched(&self) -> bool {
        self.state().latched.is_some()
    }
}

/// Each unsettled recipient of a message.
fn waiting(live: &Live) -> Vec<(u16, Arc<str>, RecipientState)> {
    let numbered = (0u16..).zip(live.envelope.recipients.iter().zip(&live.recipients));
    numbered
        .filter(|(_, (_, state))| **state != RecipientState::Settled)
        .map(|(number, (address, state))| (number, Arc::from(address.domain()), state.clone()))
        .collect()
}

/// Whether a recipient's number is one of these; of none given every one is.
fn is_among(number: usize, some: Option<&[u16]>) -> bool {
    some.is_none_or(|some| some.iter().any(|one| usize::from(*one) == number))
}
