//! Addresses that an account, or one of its SMTP users, does not send to: why, since when, until when; and lists of them as CSV.

use serde::{Deserialize, Serialize};
use std::ops::Index;
use std::time::Duration;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::id::Id;
use crate::limits::Limits;
use crate::moment;
use crate::queue::{Envelope, Verdict};
use crate::sharded::Sharded;
use crate::smtp_user::SmtpUser;

/// An account's, by address in lower case: those of the whole account, and those of the stream of one SMTP user. A change
/// copies a small part of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppressions {
    whole: Sharded<String, Suppression, 16>,
    streams: Sharded<(String, Id<SmtpUser>), Suppression, 16>,
}

impl Suppressions {
    /// That of an address for the whole account.
    pub fn get(&self, address: &str) -> Option<&Suppression> {
        self.whole.get(address)
    }

    /// That of an address for this stream; none: for the whole account.
    pub fn of(&self, address: &str, stream: Option<Id<SmtpUser>>) -> Option<&Suppression> {
        match stream {
            None => self.whole.get(address),
            Some(_) if self.streams.is_empty() => None,
            Some(user) => self.streams.get(&(address.to_owned(), user)),
        }
    }

    /// Whether an SMTP user sends nothing to an address now, whatever of the two forbids it.
    pub fn hold(&self, address: &str, user: Id<SmtpUser>, now: Timestamp) -> bool {
        [None, Some(user)].into_iter().any(|stream| self.of(address, stream).is_some_and(|one| one.holds(now)))
    }

    /// Whether an address is suppressed for the whole account.
    pub fn contains_key(&self, address: &str) -> bool {
        self.whole.contains_key(address)
    }

    /// How many addresses are suppressed for the whole account.
    pub fn len(&self) -> usize {
        self.whole.len()
    }

    /// How many are for a stream.
    pub fn streams_len(&self) -> usize {
        self.streams.len()
    }

    /// Whether there are none at all.
    pub fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.streams.is_empty()
    }

    /// Every one with its address, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Suppression)> {
        self.whole.iter().chain(self.streams.iter().map(|((address, _), one)| (address, one)))
    }

    /// Every address, as often as it is suppressed, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.iter().map(|(address, _)| address)
    }

    /// The streams that an address is suppressed for.
    pub fn streams_of(&self, address: &str) -> Vec<Id<SmtpUser>> {
        self.streams.keys().filter(|(known, _)| known == address).map(|(_, user)| *user).collect()
    }

    /// Puts one there, for its stream.
    pub fn insert(&mut self, address: String, suppression: Suppression) {
        match suppression.stream {
            None => self.whole.insert(address, suppression),
            Some(user) => self.streams.insert((address, user), suppression),
        };
    }

    /// Takes one away; what it was.
    pub fn remove(&mut self, address: &str, stream: Option<Id<SmtpUser>>) -> Option<Suppression> {
        match stream {
            None => self.whole.remove(address),
            Some(user) => self.streams.remove(&(address.to_owned(), user)),
        }
    }
}

impl FromIterator<(String, Suppression)> for Suppressions {
    fn from_iter<I: IntoIterator<Item = (String, Suppression)>>(all: I) -> Self {
        let mut suppressions = Suppressions::default();
        all.into_iter().for_each(|(address, one)| suppressions.insert(address, one));
        suppressions
    }
}

impl Index<&str> for Suppressions {
    type Output = Suppression;

    /// That of an address for the whole account.
    fn index(&self, address: &str) -> &Suppression {
        &self.whole[address]
    }
}

/// Why an address is not sent to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionCause {
    /// A person or program of the account said so.
    #[default]
    Manual,
    /// Its server said that there is no such address.
    Bounce,
    /// Its owner called mail of the account spam.
    Complaint,
    /// Its owner wants no more of it, and said so by the link in a mail (RFC 8058).
    Unsubscribed,
}

impl SuppressionCause {
    /// Each.
    pub const ALL: [SuppressionCause; 4] = [
        SuppressionCause::Manual,
        SuppressionCause::Bounce,
        SuppressionCause::Complaint,
        SuppressionCause::Unsubscribed,
    ];

    /// Its stable name, as everywhere outside.
    pub fn word(self) -> &'static str {
        match self {
            SuppressionCause::Manual => "manual",
            SuppressionCause::Bounce => "bounce",
            SuppressionCause::Complaint => "complaint",
            SuppressionCause::Unsubscribed => "unsubscribed",
        }
    }

    /// The cause of a name.
    pub fn of_word(word: &str) -> Option<SuppressionCause> {
        SuppressionCause::ALL.into_iter().find(|cause| cause.word() == word)
    }

    /// How long it lasts where nobody says otherwise; none: until it is lifted.
    pub fn lasts(self, limits: &Limits) -> Option<Duration> {
        let days = |days: u64| Some(Duration::from_secs(days * 86_400));
        match self {
            SuppressionCause::Manual | SuppressionCause::Unsubscribed => None,
            SuppressionCause::Bounce => days(limits.suppression_bounce_days),
            SuppressionCause::Complaint => days(limits.suppression_complaint_days),
        }
    }
}

/// Why an address is not sent to, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// Why.
    pub cause: SuppressionCause,
    /// More about it, in the words of whoever added it or of the server that refused.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
    /// Until when; none: until it is lifted.
    pub until: Option<Timestamp>,
    /// The SMTP user whose mail alone is not sent there, which may be deleted meanwhile; none: no mail of the account is.
    pub stream: Option<Id<SmtpUser>>,
}

impl Suppression {
    /// One that begins now, and lasts as its cause does.
    pub fn new(cause: SuppressionCause, reason: &str, now: Timestamp, limits: &Limits) -> Suppression {
        let until = cause.lasts(limits).map(|lasts| now.after(lasts));
        Suppression { cause, reason: reason.to_owned(), at: now, until, stream: None }
    }

    /// One that follows from what a server said, and lasts so long.
    pub fn by_rule(cause: SuppressionCause, said: &str, at: Timestamp, lasts: Option<Duration>) -> Suppression {
        let reason = said.chars().take(REASON_CHARACTERS_MAX).collect();
        Suppression { cause, reason, at, until: lasts.map(|lasts| at.after(lasts)), stream: None }
    }

    /// One that a person asks for now, without an end.
    pub fn manual(reason: &str, now: Timestamp) -> Suppression {
        Suppression { cause: SuppressionCause::Manual, reason: reason.to_owned(), at: now, until: None, stream: None }
    }

    /// Whether it is in force.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }

    /// Whether it stands against another of the same address: it lasts at least as long. What a person said is not
    /// replaced by what a server says later.
    pub fn outlasts(&self, other: &Suppression) -> bool {
        match (self.until, other.until) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(theirs)) => own >= theirs,
        }
    }
}

/// What bounces leave in the suppressions of an account.
#[derive(Clone, Copy, Debug)]
pub struct Bounces {
    /// How long an address is suppressed.
    pub lasts: Duration,
    /// Addresses of an account at the most.
    pub most: u64,
}

impl Bounces {
    /// As these limits say.
    pub fn held_to(limits: &Limits) -> Bounces {
        let lasts = SuppressionCause::Bounce.lasts(limits).unwrap_or_default();
        Bounces { lasts, most: limits.account_suppressions_max }
    }

    /// What follows from the outcome of an attempt: an entry for each recipient whose address is bad, by what its server
    /// said. Of mail that the relay wrote itself, and of what the sandbox took, nothing follows.
    pub fn of(&self, envelope: &Envelope, verdicts: &[Verdict], at: Timestamp) -> Vec<(String, Suppression)> {
        if envelope.domain.is_none() || envelope.sandbox {
            return Vec::new();
        }
        let bad = verdicts.iter().filter(|verdict| verdict.is_bad_address());
        let entry = |verdict: &Verdict| {
            let address = envelope.recipients.get(usize::from(verdict.recipient))?.to_string().to_lowercase();
            let said = verdict.remote_reply.as_ref().unwrap_or(&verdict.reason);
            Some((address, Suppression::by_rule(SuppressionCause::Bounce, said, at, Some(self.lasts))))
        };
        bad.filter_map(entry).collect()
    }
}

/// So much of what a server said is kept with an address.
const REASON_CHARACTERS_MAX: usize = 200;

/// A line of a list that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untaken {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it, in words.
    pub why: String,
}

/// What a list in CSV says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Address as it was written, and what it is to be.
    pub entries: Vec<(u64, String, Suppression)>,
    /// What could not be read.
    pub untaken: Vec<Untaken>,
}

/// The columns of a list, in the order in which it is written.
pub const COLUMNS: [&str; 6] = ["address", "cause", "reason", "since", "until", "smtp_user"];

/// What stands in which column.
#[derive(Clone, Copy)]
struct Places {
    address: usize,
    cause: Option<usize>,
    reason: Option<usize>,
    until: Option<usize>,
    stream: Option<usize>,
}

impl Places {
    /// Without a line of names: the address, then why in words.
    const PLAIN: Places = Places { address: 0, cause: None, reason: Some(1), until: None, stream: None };

    /// By a first line of names; none where it is none.
    fn named(line: &csv::StringRecord) -> Option<Places> {
        let names: Vec<String> = line.iter().map(|name| name.trim().to_lowercase()).collect();
        let place = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
        Some(Places {
            address: place(&["address", "email", "email address", "e-mail", "recipient", "adresse", "courriel"])?,
            cause: place(&["cause"]),
            reason: place(&["reason", "raison", "motif"]),
            until: place(&["until", "expires", "expires_at"]),
            stream: place(&["smtp_user"]),
        })
    }
}

/// Reads a list: CSV with or without a first line of names, or an address on each line. `now` is since when what it lists
/// is suppressed. Empty lines are stepped over.
pub fn read(text: &str, now: Timestamp, limits: &Limits) -> Listed {
    let text = text.trim_start_matches('\u{feff}');
    let semicolons = text.lines().next().is_some_and(|line| line.contains(';') && !line.contains(','));
    let mut reader = csv::ReaderBuilder::new();
    reader.has_headers(false).flexible(true).trim(csv::Trim::All).delimiter(if semicolons { b';' } else { b',' });
    let (mut listed, mut places) = (Listed::default(), None);
    for record in reader.from_reader(text.as_bytes()).records() {
        let record = match record {
            Ok(record) => record,
            // it is text already, so only a broken quotation is left, which has no end
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                listed.untaken.push(Untaken { line, why: format!("It is no CSV: {error}.") });
                break;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let places = match places {
            Some(places) => places,
            None => {
                let named = Places::named(&record);
                places = Some(named.unwrap_or(Places::PLAIN));
                if named.is_some() {
                    continue;
                }
                Places::PLAIN
            }
        };
        match entry(&record, places, now, limits) {
            Ok(None) => {}
            Ok(Some((address, suppression))) => listed.entries.push((line, address, suppression)),
            Err(why) => listed.untaken.push(Untaken { line, why }),
        }
    }
    listed
}

/// One line; none where it names nobody and says nothing.
fn entry(
    record: &csv::StringRecord,
    places: Places,
    now: Timestamp,
    limits: &Limits,
) -> Result<Option<(String, Suppression)>, String> {
    let field = |place: Option<usize>| place.and_then(|place| record.get(place)).unwrap_or_default();
    let address = field(Some(places.address));
    if address.is_empty() {
        let is_empty = record.iter().all(str::is_empty);
        return if is_empty { Ok(None) } else { Err("It names no address.".to_owned()) };
    }
    let cause = match field(places.cause) {
        "" => SuppressionCause::Manual,
        word => SuppressionCause::of_word(&word.to_lowercase())
            .ok_or_else(|| format!("`{word}` is no cause: write manual, bounce, complaint or unsubscribed."))?,
    };
    let mut suppression = Suppression::new(cause, field(places.reason), now, limits);
    match field(places.until) {
        "" => {}
        until => suppression.until = Some(moment::parse(until)?),
    }
    let user = field(places.stream);
    if !user.is_empty() {
        let number = user.parse().ok().filter(|number| (1..=i64::MAX as u64).contains(number));
        suppression.stream = Some(Id::new(number.ok_or_else(|| format!("`{user}` is no number of an SMTP user."))?));
    }
    Ok(Some((address.to_owned(), suppression)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_000_000_000);

    fn read(text: &str) -> Listed {
        super::read(text, NOW, &Limits::default())
    }

    fn addresses(text: &str) -> Vec<String> {
        read(text).entries.into_iter().map(|(_, address, _)| address).collect()
    }

    #[test]
    fn lists_are_read_as_people_have_them() {
        assert_eq!(addresses("a@x.example\n\nb@x.example\r\n"), ["a@x.example", "b@x.example"]);
        assert_eq!(addresses("\u{feff}email\na@x.example"), ["a@x.example"]);
        assert_eq!(addresses("Name;Email\nAnna;a@x.example\n;\n"), ["a@x.example"]);
        assert_eq!(addresses("\"a@x.example\",\"she asked,\ntwice\"\nb@x.example"), ["a@x.example", "b@x.example"]);
        let listed = read(
            "address,cause,reason,since,until\na@x.example,complaint,spam,2020-01-01,\nb@x.example,,,,2030-01-01\n",
        );
        let (first, second) = (&listed.entries[0].2, &listed.entries[1].2);
        assert_eq!((first.cause, first.reason.as_str(), first.at), (SuppressionCause::Complaint, "spam", NOW));
        assert_eq!(first.until, SuppressionCause::Complaint.lasts(&Limits::default()).map(|lasts| NOW.after(lasts)));
        assert_eq!((second.cause, second.until), (SuppressionCause::Manual, moment::parse("2030-01-01").ok()));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        let listed = read("address,cause,until\na@x.example,weather,\n,manual,\nb@x.example,,soon\nc@x.example,,\n");
        assert_eq!(listed.untaken.iter().map(|untaken| untaken.line).collect::<Vec<_>>(), [2, 3, 4]);
        assert!(listed.untaken[0].why.contains("weather"), "{:?}", listed.untaken);
        assert_eq!(listed.entries.iter().map(|entry| entry.0).collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn what_lasts_longer_stands() {
        let limits = Limits::default();
        let by = |cause| Suppression::new(cause, "", NOW, &limits);
        let [manual, bounce, complaint, unsubscribed] = SuppressionCause::ALL.map(by);
        assert!(manual.outlasts(&bounce) && !bounce.outlasts(&manual) && unsubscribed.outlasts(&complaint));
        assert!(complaint.outlasts(&bounce) && !bounce.outlasts(&complaint) && bounce.outlasts(&bounce));
        let end = bounce.until.unwrap();
        assert!(bounce.holds(Timestamp(end.0 - 1)) && !bounce.holds(end) && manual.holds(Timestamp(u64::MAX)));
    }

    #[test]
    fn a_stream_is_suppressed_by_itself_and_with_its_account() {
        let (one, other) = (Id::new(7), Id::new(8));
        let mut all = Suppressions::default();
        let wish = Suppression { stream: Some(one), ..Suppression::manual("", NOW) };
        all.insert("a@x.example".to_owned(), wish.clone());
        assert!(all.hold("a@x.example", one, NOW) && !all.hold("a@x.example", other, NOW));
        assert_eq!((all.len(), all.streams_len(), all.get("a@x.example")), (0, 1, None));
        all.insert("a@x.example".to_owned(), Suppression::manual("", NOW));
        assert!(all.hold("a@x.example", other, NOW) && all.iter().count() == 2);
        assert_eq!(all.streams_of("a@x.example"), [one]);
        assert_eq!(all.remove("a@x.example", Some(one)), Some(wish));
        assert!(all.hold("a@x.example", one, NOW), "the account sends nothing there");
        all.remove("a@x.example", None);
        assert!(all.is_empty());
    }

    #[test]
    fn a_list_names_streams_by_number() {
        let listed = read("address,cause,smtp_user\na@x.example,unsubscribed,7\nb@x.example,,shop\nc@x.example,,\n");
        let streams: Vec<_> = listed.entries.iter().map(|(_, _, one)| one.stream).collect();
        assert_eq!(streams, [Some(Id::new(7)), None]);
        assert!(listed.untaken[0].why.contains("shop"), "{:?}", listed.untaken);
    }

    #[test]
    fn every_cause_has_its_word() {
        for cause in SuppressionCause::ALL {
            assert_eq!(SuppressionCause::of_word(cause.word()), Some(cause));
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.word());
        }
    }
}
