//! The rows of one message, or of one refusal, packed: what they share is kept once, and they are read and written
//! together.

use std::net::{IpAddr, SocketAddr};

use relay::activity::{ActivityEvent, ActivityRow, Status};
use relay::clock::Timestamp;
use relay::id::{Id, MessageId, SessionId};
use relay::outcome::Class;
use relay::queue::{Attempt, HoldReason};
use rusqlite::Error;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::columns::{status, status_number};
use crate::embedded::beside;
use crate::embedded::sqlite::malformed;

/// The first octet of what is packed: how it is packed.
const FORMAT: u8 = 1;

/// Rows that began together. Texts are lent (`&str`) to those who search, and owned (`String`) by those who change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Group<T> {
    /// The log position of the last event that was applied: told again, it changes nothing.
    pub(super) applied: u64,
    /// The highest change of its rows.
    pub(super) change: u64,
    pub(super) at: u64,
    pub(super) account: u64,
    pub(super) user: Option<u64>,
    pub(super) domain: Option<u64>,
    /// None of a refusal.
    pub(super) message: Option<[u8; 16]>,
    pub(super) session: Option<[u8; 16]>,
    pub(super) sender: T,
    pub(super) subject: T,
    /// The number of the first row's recipient in its message.
    pub(super) number: u32,
    /// The events that its rows speak of: of each the last one, and the last that was an attempt.
    pub(super) events: Vec<Event<T>>,
    pub(super) rows: Vec<Row<T>>,
    /// By how many days the date of the account was ahead of that in UTC. Written behind the others, and there only where it
    /// is not 0: earlier versions do not read on, nor do those who search.
    #[serde(skip)]
    pub(super) days_ahead: i8,
}

impl Group<String> {
    /// Packed as it is kept.
    pub(super) fn packed(&self) -> rusqlite::Result<Vec<u8>> {
        with_behind(packed(self)?, self.days_ahead)
    }

    /// Unpacked again, to be changed.
    pub(super) fn unpacked(octets: &[u8]) -> rusqlite::Result<Self> {
        let (group, days_ahead): (Self, _) = unpacked_with_behind(octets)?;
        Ok(Group { days_ahead, ..group })
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row<T> {
    pub(super) recipient: T,
    /// By how much its change is below the group's.
    pub(super) age: u64,
    /// Events after its beginning, and how many of them were attempts.
    pub(super) events: u32,
    pub(super) attempts: u32,
    /// The last event: its place among the group's.
    pub(super) last: Option<u32>,
    /// The last that was an attempt: its number among the row's, and its place among the group's.
    pub(super) tried: Option<(u32, u32)>,
    pub(super) held: Option<Hold>,
    pub(super) sandbox: bool,
    pub(super) refused: Option<Refused<T>>,
    /// Its place among the touches of the batch that changes it.
    #[serde(skip)]
    pub(super) touch: Option<usize>,
}

/// [`HoldReason`] as it is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Hold {
    Operator,
    AccountSuspended,
    DomainInvalid,
    Damaged,
    Brake,
}

impl From<HoldReason> for Hold {
    fn from(reason: HoldReason) -> Self {
        match reason {
            HoldReason::Operator => Hold::Operator,
            HoldReason::AccountSuspended => Hold::AccountSuspended,
            HoldReason::DomainInvalid => Hold::DomainInvalid,
            HoldReason::Damaged => Hold::Damaged,
            HoldReason::Brake => Hold::Brake,
        }
    }
}

impl From<Hold> for HoldReason {
    fn from(reason: Hold) -> Self {
        match reason {
            Hold::Operator => HoldReason::Operator,
            Hold::AccountSuspended => HoldReason::AccountSuspended,
            Hold::DomainInvalid => HoldReason::DomainInvalid,
            Hold::Damaged => HoldReason::Damaged,
            Hold::Brake => HoldReason::Brake,
        }
    }
}

/// What a row has that began as Rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refused<T> {
    pub(super) reason: T,
    pub(super) reply: T,
    pub(super) reference: T,
    pub(super) count: u32,
    pub(super) updated_at: u64,
}

/// The status of an event, and the class of its failure. Until there were classes the status stood here alone, as one
/// octet: as a number of its own length, and without a class, it is packed and read alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StatusClass(u16);

/// The statuses that have room beside a class.
const STATUSES: u16 = 8;

impl StatusClass {
    pub(super) fn new(status: Status, class: Option<Class>) -> StatusClass {
        StatusClass(u16::from(status_number(status)) + STATUSES * u16::from(class.map_or(0, Class::number)))
    }

    /// Of a status by its number, without a class.
    pub(super) fn plain(status: u8) -> StatusClass {
        StatusClass(u16::from(status))
    }

    /// The number of the status.
    pub(super) fn status(self) -> u8 {
        (self.0 % STATUSES) as u8
    }

    /// The class; none of what a later version wrote, either.
    pub(super) fn class(self) -> Option<Class> {
        Class::of_number(u8::try_from(self.0 / STATUSES).ok()?)
    }
}

/// One event that recipients share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Event<T> {
    pub(super) at: u64,
    pub(super) kind: StatusClass,
    pub(super) reason: T,
    /// With who vouches for it behind it, where it was reported.
    pub(super) reply: T,
    pub(super) until: Option<u64>,
    pub(super) attempt: Option<Tried<T>>,
}

/// [`Attempt`] as it is packed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tried<T> {
    at: u64,
    milliseconds: u64,
    /// With the source and the other servers that were tried behind it, where there are any.
    host: T,
    remote: Option<SocketAddr>,
    tls: T,
}

impl From<&Attempt> for Tried<String> {
    fn from(attempt: &Attempt) -> Self {
        Tried {
            at: attempt.at.0,
            milliseconds: attempt.milliseconds,
            host: beside::host_out(attempt).into_owned(),
            remote: attempt.remote,
            tls: attempt.tls.clone(),
        }
    }
}

/// What only the details of a group's rows show, beside the group: it never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    pub(super) content: Option<Content>,
    pub(super) client: Option<Client>,
    /// Written behind the others, and there only where it is not 0: earlier versions do not read on.
    #[serde(skip)]
    pub(super) priority: i8,
}

impl Facts {
    /// Packed as it is kept.
    pub(super) fn packed(&self) -> rusqlite::Result<Vec<u8>> {
        with_behind(packed(self)?, self.priority)
    }

    /// Unpacked again.
    pub(super) fn unpacked(octets: &[u8]) -> rusqlite::Result<Facts> {
        let (facts, priority): (Facts, _) = unpacked_with_behind(octets)?;
        Ok(Facts { priority, ..facts })
    }
}

/// [`relay::queue::ContentFacts`] without the Subject, which the rows show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) octets: u64,
    pub(super) header_octets: u64,
    pub(super) sha256: [u8; 32],
    pub(super) from: String,
    pub(super) message_id: String,
}

/// The client of the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Client {
    pub(super) remote: IpAddr,
    pub(super) name: String,
    /// With how long the submission took behind it, where that is known.
    pub(super) tls: String,
}

/// Events of a group's rows that later ones took the place of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Past {
    pub(super) events: Vec<Event<String>>,
    /// Of which row, by its place, which event, by its number, and its place above.
    pub(super) of: Vec<(u32, u32, u32)>,
}

/// Packs something.
pub(super) fn packed<V: Serialize>(value: &V) -> rusqlite::Result<Vec<u8>> {
    postcard::to_extend(value, vec![FORMAT]).map_err(|error| Error::ToSqlConversionFailure(error.into()))
}

/// What is packed with a number behind it, where that is not 0.
fn with_behind(octets: Vec<u8>, number: i8) -> rusqlite::Result<Vec<u8>> {
    match number {
        0 => Ok(octets),
        number => postcard::to_extend(&number, octets).map_err(|error| Error::ToSqlConversionFailure(error.into())),
    }
}

/// Unpacks something and the number behind it.
fn unpacked_with_behind<V: DeserializeOwned>(octets: &[u8]) -> rusqlite::Result<(V, i8)> {
    let Some((&FORMAT, octets)) = octets.split_first() else { return Ok((unpacked_owned(octets)?, 0)) };
    let (value, behind) = postcard::take_from_bytes(octets).map_err(malformed)?;
    let number = if behind.is_empty() { 0 } else { postcard::from_bytes(behind).map_err(malformed)? };
    Ok((value, number))
}

/// Unpacks something, of which texts may be lent.
pub(super) fn unpacked<'o, V: Deserialize<'o>>(octets: &'o [u8]) -> rusqlite::Result<V> {
    match octets.split_first() {
        Some((&FORMAT, octets)) => postcard::from_bytes(octets).map_err(malformed),
        _ => Err(Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, "packed in an unknown way".into())),
    }
}

/// Unpacks something of its own.
pub(super) fn unpacked_owned<V: DeserializeOwned>(octets: &[u8]) -> rusqlite::Result<V> {
    unpacked(octets)
}

impl<T: AsRef<str>> Group<T> {
    /// The status of a row, as its number.
    pub(super) fn status_of(&self, row: &Row<T>) -> u8 {
        match (self.last_of(row), &row.refused) {
            (Some(event), _) => event.kind.status(),
            (None, Some(_)) => status_number(Status::Rejected),
            (None, None) => status_number(Status::Accepted),
        }
    }

    /// The class of a row's failure.
    pub(super) fn class_of(&self, row: &Row<T>) -> Option<Class> {
        self.last_of(row).and_then(|event| event.kind.class())
    }

    /// Whether what a row told was erased: its place is kept, because the others of its message are counted by theirs.
    pub(super) fn is_erased(&self, row: &Row<T>) -> bool {
        self.message.is_some() && row.recipient.as_ref().is_empty()
    }

    /// A bit for each status that a row of it has.
    pub(super) fn statuses(&self) -> u8 {
        self.rows.iter().fold(0, |statuses, row| statuses | 1 << self.status_of(row))
    }

    fn last_of(&self, row: &Row<T>) -> Option<&Event<T>> {
        row.last.and_then(|place| self.events.get(place as usize))
    }

    fn tried_of(&self, row: &Row<T>) -> Option<&Event<T>> {
        row.tried.and_then(|(_, place)| self.events.get(place as usize))
    }

    /// A row as people read it, of the group whose first row has this number.
    pub(super) fn row(&self, first: u64, place: usize) -> rusqlite::Result<ActivityRow> {
        let row = &self.rows[place];
        let (last, refused) = (self.last_of(row), row.refused.as_ref());
        let text = |text: Option<&T>| text.map(|text| text.as_ref().to_owned()).unwrap_or_default();
        Ok(ActivityRow {
            row: first + place as u64,
            at: Timestamp(self.at),
            updated_at: Timestamp(last.map_or(refused.map_or(self.at, |row| row.updated_at), |event| event.at)),
            status: status(self.status_of(row))?,
            recipient: row.recipient.as_ref().to_owned(),
            sender: self.sender.as_ref().to_owned(),
            subject: self.subject.as_ref().to_owned(),
            message: self.message.map(|octets| MessageId(u128::from_be_bytes(octets))),
            account: Id::new(self.account),
            user: self.user.map(Id::new),
            domain: self.domain.map(Id::new),
            session: self.session.map(|octets| SessionId(u128::from_be_bytes(octets))),
            class: self.class_of(row),
            reason: text(last.map(|event| &event.reason).or(refused.map(|row| &row.reason))),
            reply: last.map_or_else(|| text(refused.map(|row| &row.reply)), |event| event.reply().0.to_owned()),
            reference: text(refused.map(|row| &row.reference)),
            attempts: row.attempts,
            count: refused.map_or(1, |row| row.count),
            sandbox: row.sandbox,
            held: row.held.map(HoldReason::from),
            last_attempt: self.tried_of(row).and_then(|event| event.attempt.as_ref()).map(Tried::attempt),
        })
    }

    /// The next hop of a row's last attempt; none where none was found, or nothing was tried yet.
    pub(super) fn host_of(&self, row: &Row<T>) -> Option<String> {
        let tried = self.tried_of(row)?.attempt.as_ref()?;
        let (host, ..) = beside::host_in(tried.host.as_ref());
        (!host.is_empty()).then(|| host.to_owned())
    }

    /// How a row began.
    pub(super) fn beginning(&self, place: usize) -> rusqlite::Result<ActivityEvent> {
        let refused = self.rows[place].refused.as_ref();
        let text = |text: Option<&T>| text.map(|text| text.as_ref().to_owned()).unwrap_or_default();
        Ok(ActivityEvent {
            at: Timestamp(self.at),
            status: if refused.is_some() { Status::Rejected } else { Status::Accepted },
            class: None,
            reason: text(refused.map(|row| &row.reason)),
            reply: text(refused.map(|row| &row.reply)),
            attempt: None,
            until: None,
            authentication: None,
        })
    }

    /// The events of a row that the group still has, with their numbers.
    pub(super) fn events_of(&self, place: usize) -> rusqlite::Result<Vec<(u32, ActivityEvent)>> {
        let row = &self.rows[place];
        let tried = row.tried.filter(|(number, _)| *number != row.events);
        let last = row.last.map(|place| (row.events, place));
        let kept = tried.into_iter().chain(last);
        kept.filter_map(|(number, place)| Some((number, self.events.get(place as usize)?)))
            .map(|(number, event)| Ok((number, event.event()?)))
            .collect()
    }
}

impl<T: AsRef<str>> Event<T> {
    /// The other server's words, and who vouches for the report that they stood in.
    fn reply(&self) -> (&str, Option<&str>) {
        beside::reply_in(self.reply.as_ref())
    }

    /// As people read it.
    pub(super) fn event(&self) -> rusqlite::Result<ActivityEvent> {
        let (reply, authentication) = self.reply();
        Ok(ActivityEvent {
            at: Timestamp(self.at),
            status: status(self.kind.status())?,
            class: self.kind.class(),
            reason: self.reason.as_ref().to_owned(),
            reply: reply.to_owned(),
            authentication: authentication.and_then(|known| known.parse().ok()),
            attempt: self.attempt.as_ref().map(Tried::attempt),
            until: self.until.map(Timestamp),
        })
    }
}

impl<T: AsRef<str>> Tried<T> {
    fn attempt(&self) -> Attempt {
        let (host, source, others) = beside::host_in(self.host.as_ref());
        Attempt {
            at: Timestamp(self.at),
            milliseconds: self.milliseconds,
            host: host.to_owned(),
            remote: self.remote,
            tls: self.tls.as_ref().to_owned(),
            source: source.map(str::to_owned),
            others,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_status_without_a_class_is_packed_as_it_was_before_there_were_any() {
        for number in 0..7 {
            let known = status(number).unwrap();
            let one = packed(&StatusClass::new(known, None)).unwrap();
            assert_eq!(one, packed(&number).unwrap());
            let read: StatusClass = unpacked(&one).unwrap();
            assert_eq!((read, read.status(), read.class()), (StatusClass::plain(number), number, None));
        }
    }

    #[test]
    fn every_class_comes_back_with_every_status() {
        for class in Class::ALL {
            for number in 0..7 {
                let one = StatusClass::new(status(number).unwrap(), Some(class));
                let read: StatusClass = unpacked(&packed(&one).unwrap()).unwrap();
                assert_eq!((read.status(), read.class()), (number, Some(class)));
            }
        }
        assert_eq!(StatusClass(u16::MAX).class(), None, "of a later version");
    }
}
