//! Addresses that an account does not send to: why, since when, until when; and lists of them as CSV.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::limits::Limits;
use crate::moment;
use crate::queue::{Envelope, Verdict};
use crate::sharded::Sharded;

/// An account's, by address in lower case. A change copies a small part of them.
pub type Suppressions = Sharded<String, Suppression, 16>;

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
}

impl SuppressionCause {
    /// Each.
    pub const ALL: [SuppressionCause; 3] =
        [SuppressionCause::Manual, SuppressionCause::Bounce, SuppressionCause::Complaint];

    /// Its stable name, as everywhere outside.
    pub fn word(self) -> &'static str {
        match self {
            SuppressionCause::Manual => "manual",
            SuppressionCause::Bounce => "bounce",
            SuppressionCause::Complaint => "complaint",
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
            SuppressionCause::Manual => None,
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
}

impl Suppression {
    /// One that begins now, and lasts as its cause does.
    pub fn new(cause: SuppressionCause, reason: &str, now: Timestamp, limits: &Limits) -> Suppression {
        let until = cause.lasts(limits).map(|lasts| now.after(lasts));
        Suppression { cause, reason: reason.to_owned(), at: now, until }
    }

    /// One that follows from what a server said, and lasts so long.
    pub fn by_rule(cause: SuppressionCause, said: &str, at: Timestamp, lasts: Option<Duration>) -> Suppression {
        let reason = said.chars().take(REASON_CHARACTERS_MAX).collect();
        Suppression { cause, reason, at, until: lasts.map(|lasts| at.after(lasts)) }
    }

    /// One that a person asks for now, without an end.
    pub fn manual(reason: &str, now: Timestamp) -> Suppression {
        Suppression { cause: SuppressionCause::Manual, reason: reason.to_owned(), at: now, until: None }
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
pub const COLUMNS: [&str; 5] = ["address", "cause", "reason", "since", "until"];

/// What stands in which column.
#[derive(Clone, Copy)]
struct Places {
    address: usize,
    cause: Option<usize>,
    reason: Option<usize>,
    until: Option<usize>,
}

impl Places {
    /// Without a line of names: the address, then why in words.
    const PLAIN: Places = Places { address: 0, cause: None, reason: Some(1), until: None };

    /// By a first line of names; none where it is none.
    fn named(line: &csv::StringRecord) -> Option<Places> {
        let names: Vec<String> = line.iter().map(|name| name.trim().to_lowercase()).collect();
        let place = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
        Some(Places {
            address: place(&["address", "email", "email address", "e-mail", "recipient", "adresse", "courriel"])?,
            cause: place(&["cause"]),
            reason: place(&["reason", "raison", "motif"]),
            until: place(&["until", "expires", "expires_at"]),
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
            .ok_or_else(|| format!("`{word}` is no cause: write manual, bounce or complaint."))?,
    };
    let mut suppression = Suppression::new(cause, field(places.reason), now, limits);
    match field(places.until) {
        "" => {}
        until => suppression.until = Some(moment::parse(until)?),
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
        let [manual, bounce, complaint] = SuppressionCause::ALL.map(by);
        assert!(manual.outlasts(&bounce) && !bounce.outlasts(&manual));
        assert!(complaint.outlasts(&bounce) && !bounce.outlasts(&complaint) && bounce.outlasts(&bounce));
        let end = bounce.until.unwrap();
        assert!(bounce.holds(Timestamp(end.0 - 1)) && !bounce.holds(end) && manual.holds(Timestamp(u64::MAX)));
    }

    #[test]
    fn every_cause_has_its_word() {
        for cause in SuppressionCause::ALL {
            assert_eq!(SuppressionCause::of_word(cause.word()), Some(cause));
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.word());
        }
    }
}
