//! What the log's events make of the rows of `activity.db`. An event that was applied before changes nothing.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use relay::activity::{ActivityRow, Notice, Status};
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::queue::{Envelope, HoldReason, Outcome, Settlement, Verdict};
use relay::report::Report;
use relay::webhook::NewCall;
use rusqlite::Transaction;

use super::calls::Listeners;
use super::columns::status;
use super::group::{Client, Content, Event as Change, Facts, Group, Refused, Row, StatusClass};
use super::hand::Hand;
use super::{connections, counters, hours, refusals, reports};
use crate::counters::{Counters, Key};
use crate::embedded::beside;
use crate::embedded::spool::{Event, Position};
use crate::reports::{Effect, Heard};
use crate::rows;

/// How far the log was read, and the highest numbers given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) position: Position,
    pub(super) change: u64,
    pub(super) row: u64,
    pub(super) connection: u64,
    /// The last change that an earlier log made: positions that came with it mean nothing in this one.
    pub(super) restarted: u64,
}

impl Progress {
    pub(super) fn read(reader: &rusqlite::Connection) -> rusqlite::Result<Progress> {
        reader.query_row("SELECT position, change, row, connection, restarted FROM progress", [], |row| {
            Ok(Progress {
                position: Position(row.get(0)?),
                change: row.get(1)?,
                row: row.get(2)?,
                connection: row.get(3)?,
                restarted: row.get(4)?,
            })
        })
    }

    pub(super) fn write(self, writer: &rusqlite::Connection) -> rusqlite::Result<()> {
        let mut update = writer.prepare_cached(
            "UPDATE progress SET position = ?1, change = ?2, row = ?3, connection = ?4, restarted = ?5",
        )?;
        update.execute((self.position.0, self.change, self.row, self.connection, self.restarted)).map(drop)
    }
}

/// Events on their way into one transaction.
pub(super) struct Apply<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) progress: Progress,
    /// Refusals alike within this time of the first are one row.
    pub(super) fold: Duration,
    /// How many reports of one recipient are taken.
    pub(super) reports_max: u64,
    /// The groups that the events touch, written at the end.
    hand: Hand,
    /// The rows begun in each hour.
    begun: BTreeMap<u64, (u64, u64)>,
    /// What the events change of the daily counters.
    counters: Counters,
    /// Who hears of them.
    listeners: Option<&'a Listeners>,
    /// What those are told.
    calls: Vec<NewCall>,
}

impl<'a> Apply<'a> {
    pub(super) fn new(
        transaction: &'a Transaction<'a>,
        progress: Progress,
        fold: Duration,
        listeners: Option<&'a Listeners>,
    ) -> Self {
        let (hand, begun, counters) = (Hand::default(), BTreeMap::new(), Counters::default());
        let reports_max = crate::reports::REPORTS_MAX;
        Apply { transaction, progress, fold, reports_max, hand, begun, counters, listeners, calls: Vec::new() }
    }

    /// Applies one event; `position` is the one behind it.
    pub(super) fn event(&mut self, position: Position, event: &Event) -> rusqlite::Result<()> {
        match event {
            Event::Committed(envelope) => self.committed(position, envelope),
            Event::Settled(settlement) => self.settled(position, settlement),
            Event::Held { message, recipients, reason, at } => {
                self.held(position, (*message, recipients.as_deref()), *reason, *at)
            }
            Event::Released { message, recipients, at } => {
                self.released(position, (*message, recipients.as_deref()), *at)
            }
            Event::Reported(report) => self.reported(position, report),
            Event::Noticed(notices) => {
                let notices = refusals::folded(notices, self.fold);
                notices.iter().try_for_each(|notice| self.noticed(position, notice))
            }
        }
    }

    /// Writes what the whole batch gathered. Returns how far that is, the last change of each account in it, and how many
    /// calls to webhooks it made.
    pub(super) fn finish(mut self) -> rusqlite::Result<(Progress, HashMap<u64, u64>, u64)> {
        let called = self.listeners.map_or(Ok(0), |listeners| listeners.keep(self.transaction, &self.calls))?;
        hours::begin(self.transaction, &self.begun, self.progress.change)?;
        counters::add(self.transaction, &self.counters)?;
        let (change, accounts) = self.hand.finish(self.transaction, self.progress.change)?;
        self.progress.change = change;
        self.progress.write(self.transaction)?;
        Ok((self.progress, accounts, called))
    }

    fn of_message(&mut self, position: Position, message: MessageId) -> rusqlite::Result<Option<usize>> {
        let found = self.hand.of_message(self.transaction, message, self.progress.restarted)?;
        Ok(found.filter(|place| self.hand.group(*place).applied < position.0))
    }

    fn committed(&mut self, position: Position, envelope: &Envelope) -> rusqlite::Result<()> {
        if self.hand.of_message(self.transaction, envelope.message, self.progress.restarted)?.is_some() {
            return Ok(());
        }
        let content = &envelope.facts;
        let content = Content {
            octets: content.octets,
            header_octets: content.header_octets,
            sha256: content.sha256,
            from: content.from.clone(),
            message_id: content.message_id.clone(),
        };
        let client = envelope.session.as_ref().map(|session| Client {
            remote: session.remote,
            name: session.client_name.clone(),
            tls: beside::tls_out(session).into_owned(),
        });
        self.begin(
            group_of(position, envelope),
            Facts { content: Some(content), client, priority: envelope.priority.value() },
        );
        Ok(())
    }

    /// Begins the rows of a group.
    fn begin(&mut self, group: Group<String>, facts: Facts) {
        let (first, rows) = (self.progress.row + 1, group.rows.len() as u64);
        if rows == 0 {
            return;
        }
        let last = self.progress.row + rows;
        self.progress.row = last;
        self.begun.entry(hours::of(Timestamp(group.at))).or_insert((first, last)).1 = last;
        let accepted = group.rows.iter().filter(|row| row.refused.is_none());
        accepted.for_each(|_| self.counters.begin(key(&group), Status::Accepted));
        let place = self.hand.begin(first, group, facts);
        (0..rows as usize).for_each(|number| self.tell(place, number));
    }

    /// A row has come into the status that it has.
    fn tell(&mut self, place: usize, number: usize) {
        let Some(listeners) = self.listeners.filter(|who| who.hear(self.hand.group(place).account)) else { return };
        let (first, group) = self.hand.numbered(place);
        let recipient = group.number.saturating_add(u32::try_from(number).unwrap_or(u32::MAX));
        match group.row(first, number) {
            Ok(row) => self.calls.extend(listeners.calls(&row, recipient)),
            // a status that nobody knows: the row cannot be shown either
            Err(error) => tracing::error!(%error, "an event cannot be told to webhooks, left out"),
        }
    }

    fn settled(&mut self, position: Position, settlement: &Settlement) -> rusqlite::Result<()> {
        let Some(place) = self.of_message(position, settlement.message)? else { return Ok(()) };
        settlement.verdicts.iter().for_each(|verdict| self.verdict(place, settlement, verdict));
        self.hand.group(place).applied = position.0;
        Ok(())
    }

    /// One that comes after the row's end changes nothing, as in the queue.
    fn verdict(&mut self, place: usize, settlement: &Settlement, verdict: &Verdict) {
        let group = self.hand.group(place);
        let Some(number) = u32::from(verdict.recipient).checked_sub(group.number) else { return };
        let number = number as usize;
        if !group.rows.get(number).is_some_and(|row| group.is_unsettled(row)) {
            return;
        }
        let after = rows::status_of(verdict.outcome);
        let until = match verdict.outcome {
            Outcome::Deferred { until } => Some(until.0),
            _ => None,
        };
        // it was in the queue, where every status counts alike
        self.counters.change(key(group), Status::Accepted, after);
        let change = Change {
            at: settlement.at.0,
            kind: StatusClass::new(after, verdict.class),
            reason: verdict.reason.clone(),
            reply: verdict.remote_reply.clone().unwrap_or_default(),
            until,
            attempt: settlement.attempt.as_ref().map(Into::into),
        };
        if let Outcome::Delivered { sandbox } = verdict.outcome {
            group.rows[number].sandbox = sandbox;
        }
        let held = &mut group.rows[number].held;
        if verdict.outcome.is_final() {
            *held = None;
        }
        let held = *held;
        self.hand.append(place, number, change);
        self.tell(place, number);
        if let Some(reason) = held {
            self.hold_row(place, number, reason.into(), settlement.at);
        }
    }

    /// Shows a row as held.
    fn hold_row(&mut self, place: usize, number: usize, reason: HoldReason, at: Timestamp) {
        self.hand.group(place).rows[number].held = Some(reason.into());
        self.hand.append(place, number, plain(at, Status::Pending, rows::hold_words(reason)));
    }

    fn held(
        &mut self,
        position: Position,
        (message, some): (MessageId, Option<&[u16]>),
        reason: HoldReason,
        at: Timestamp,
    ) -> rusqlite::Result<()> {
        let Some(place) = self.of_message(position, message)? else { return Ok(()) };
        for number in self.hand.group(place).unsettled(|row| row.held.is_none_or(|held| reason.outlasts(held.into()))) {
            if self.is_among(place, number, some) {
                self.hold_row(place, number, reason, at);
            }
        }
        self.hand.group(place).applied = position.0;
        Ok(())
    }

    /// Whether a row is of one of these recipients; of none given every one is.
    fn is_among(&mut self, place: usize, number: usize, some: Option<&[u16]>) -> bool {
        let first = self.hand.group(place).number as usize;
        some.is_none_or(|some| some.iter().any(|one| usize::from(*one) == first + number))
    }

    fn released(
        &mut self,
        position: Position,
        (message, some): (MessageId, Option<&[u16]>),
        at: Timestamp,
    ) -> rusqlite::Result<()> {
        let Some(place) = self.of_message(position, message)? else { return Ok(()) };
        for number in self.hand.group(place).unsettled(|row| row.held.is_some()) {
            if !self.is_among(place, number, some) {
                continue;
            }
            let row = &mut self.hand.group(place).rows[number];
            row.held = None;
            let status = rows::released_status(row.attempts);
            self.hand.append(place, number, plain(at, status, rows::RELEASED_REASON));
        }
        self.hand.group(place).applied = position.0;
        Ok(())
    }

    /// A report that came in: of a recipient by its number, or of none that is named, whom it is shown at all of.
    fn reported(&mut self, position: Position, report: &Report) -> rusqlite::Result<()> {
        let Report { message, recipient, at, .. } = *report;
        let Some(mut heard) = reports::heard(self.transaction, message, recipient, position)? else { return Ok(()) };
        let place = self.hand.of_message(self.transaction, message, self.progress.restarted)?;
        if place.is_some_and(|place| self.hand.group(place).applied >= position.0) {
            return Ok(());
        }
        let number = place.zip(recipient).and_then(|(place, recipient)| {
            let group = self.hand.group(place);
            let number = u32::from(recipient).checked_sub(group.number)? as usize;
            group.rows.get(number).is_some_and(|row| !group.is_erased(row)).then_some((place, number))
        });
        match (number, recipient, place) {
            (Some((place, number)), ..) => {
                let group = self.hand.group(place);
                let before = status(group.status_of(&group.rows[number]))?;
                let effect = heard.take(report, Some(before), self.reports_max);
                self.report(place, number, report, effect)?;
            }
            (None, Some(_), _) => {
                if let Effect::Becomes(before, after) = heard.take(report, None, self.reports_max) {
                    let key =
                        Key { day: report.day(), account: report.account, domain: report.domain, user: report.user };
                    self.counters.change(key, before, after);
                }
            }
            (None, None, Some(place)) => self.unattributed(place, report, &mut heard)?,
            (None, None, None) => {}
        }
        if let Some(place) = place {
            self.hand.group(place).applied = position.0;
        }
        reports::keep(self.transaction, message, recipient, position, at, heard)
    }

    /// A report that names none of several is shown at each that it may be about.
    fn unattributed(&mut self, place: usize, report: &Report, heard: &mut Heard) -> rusqlite::Result<()> {
        if heard.take(report, Some(Status::Delivered), self.reports_max) == Effect::Nothing {
            return Ok(());
        }
        for number in 0..self.hand.group(place).rows.len() {
            let group = self.hand.group(place);
            let row = &group.rows[number];
            if row.refused.is_none() && !group.is_unsettled(row) && !group.is_erased(row) {
                self.report(place, number, report, Effect::Remark)?;
            }
        }
        Ok(())
    }

    /// What a report makes of a row.
    fn report(&mut self, place: usize, number: usize, report: &Report, effect: Effect) -> rusqlite::Result<()> {
        let group = self.hand.group(place);
        let row = &group.rows[number];
        let (status, class) = match effect {
            Effect::Nothing => return Ok(()),
            Effect::Remark => (status(group.status_of(row))?, group.class_of(row)),
            Effect::Becomes(_, after) => (after, report.class),
        };
        if let Effect::Becomes(before, after) = effect {
            self.counters.change(key(group), before, after);
        }
        let authentication = report.authentication.as_ref().map(ToString::to_string);
        let change = Change {
            at: report.at.0,
            kind: StatusClass::new(status, class),
            reason: report.reason.clone(),
            reply: beside::reply_out(&report.reply, authentication.as_deref()).into_owned(),
            until: None,
            attempt: None,
        };
        self.hand.append(place, number, change);
        if matches!(effect, Effect::Becomes(..)) {
            self.tell(place, number);
        }
        Ok(())
    }

    fn noticed(&mut self, position: Position, notice: &Notice) -> rusqlite::Result<()> {
        match rows::rejected(notice) {
            Some(row) => self.rejected(position, notice, &row),
            None => connections::noticed(self.transaction, &mut self.progress, position, notice, self.fold),
        }
    }

    fn rejected(&mut self, position: Position, notice: &Notice, row: &ActivityRow) -> rusqlite::Result<()> {
        let known = refusals::alike(self.transaction, row, self.fold)?;
        let known = match known {
            Some(known) => self.hand.of_row(self.transaction, known, self.progress.restarted)?,
            None => None,
        };
        let Some(place) = known else {
            refusals::keep(self.transaction, row, self.progress.row + 1)?;
            let client = Client { remote: notice.remote, name: String::new(), tls: notice.tls.clone() };
            self.begin(group_of_refusal(position, row), Facts { content: None, client: Some(client), priority: 0 });
            return Ok(());
        };
        let group = self.hand.group(place);
        if group.applied >= position.0 {
            return Ok(());
        }
        group.applied = position.0;
        if let Some(refused) = &mut group.rows[0].refused {
            refused.count += row.count;
            refused.updated_at = refused.updated_at.max(notice.at.0);
        }
        self.hand.touch(place, 0);
        Ok(())
    }
}

/// An event without an attempt.
fn plain(at: Timestamp, status: Status, reason: &str) -> Change<String> {
    Change {
        at: at.0,
        kind: StatusClass::new(status, None),
        reason: reason.to_owned(),
        reply: String::new(),
        until: None,
        attempt: None,
    }
}

/// The rows that a message begins with, in the order of its recipients, suppressed ones last.
fn group_of(position: Position, envelope: &Envelope) -> Group<String> {
    let kept = envelope.recipients.iter().map(|recipient| Row::new(recipient.to_string(), envelope.sandbox));
    let suppressed = envelope.suppressed.iter().map(|recipient| Row {
        refused: Some(Refused {
            reason: rows::SUPPRESSED_REASON.to_owned(),
            reply: String::new(),
            reference: rows::suppressed_reference(),
            count: 1,
            updated_at: envelope.accepted_at.0,
        }),
        ..Row::new(recipient.to_string(), envelope.sandbox)
    });
    Group {
        applied: position.0,
        change: 0,
        at: envelope.accepted_at.0,
        account: envelope.account.number(),
        user: envelope.user.map(Id::number),
        domain: envelope.domain.map(Id::number),
        message: Some(envelope.message.0.to_be_bytes()),
        session: envelope.session.as_ref().map(|session| session.session.0.to_be_bytes()),
        sender: rows::sender(envelope),
        subject: envelope.facts.subject.clone(),
        number: 0,
        events: Vec::new(),
        rows: kept.chain(suppressed).collect(),
        days_ahead: envelope.days_ahead,
    }
}

/// The one row of a refusal.
fn group_of_refusal(position: Position, row: &ActivityRow) -> Group<String> {
    let refused = Refused {
        reason: row.reason.clone(),
        reply: row.reply.clone(),
        reference: row.reference.clone(),
        count: row.count,
        updated_at: row.updated_at.0,
    };
    Group {
        applied: position.0,
        change: 0,
        at: row.at.0,
        account: row.account.number(),
        user: row.user.map(Id::number),
        domain: row.domain.map(Id::number),
        message: None,
        session: row.session.map(|session| session.0.to_be_bytes()),
        sender: row.sender.clone(),
        subject: row.subject.clone(),
        number: 0,
        events: Vec::new(),
        rows: vec![Row { refused: Some(refused), ..Row::new(row.recipient.clone(), row.sandbox) }],
        days_ahead: 0,
    }
}

/// Where the recipients of a group count.
fn key(group: &Group<String>) -> Key {
    let at = (Timestamp(group.at), group.days_ahead);
    Key::new(at, Id::new(group.account), group.domain.map(Id::new), group.user.map(Id::new))
}

impl Group<String> {
    /// Whether the queue still has the recipient of a row.
    pub(super) fn is_unsettled(&self, row: &Row<String>) -> bool {
        matches!(status(self.status_of(row)), Ok(Status::Accepted | Status::Pending | Status::Deferred))
    }

    /// The rows, by their places, that the queue still has and that are so.
    fn unsettled(&self, is_so: impl Fn(&Row<String>) -> bool) -> Vec<usize> {
        let rows = self.rows.iter().enumerate().filter(|(_, row)| is_so(row) && self.is_unsettled(row));
        rows.map(|(place, _)| place).collect()
    }
}
