//! Time zones: which date a moment has for the people of an account, and when a date begins for them.
//!
//! The rules of all zones are compiled in (the IANA time zone database), so nothing is read from the machine. What is
//! counted by days asks for the date of each message: the offset of a quarter of an hour is remembered, because no zone
//! that is in use changes it within one, and the rules are only looked at when another quarter begins.

use jiff::{civil, tz};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::{Day, Timestamp};

/// A time zone by its name in the IANA database. One that this version does not know keeps its name and is read as UTC.
#[derive(Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct TimeZone {
    name: Box<str>,
    rules: tz::TimeZone,
    /// The quarter of an hour that was asked for last and its offset, packed as [`pack`] does; [`NOTHING`] at first.
    /// One number, so that nobody ever reads half of one and half of another.
    last: AtomicU64,
}

/// No quarter of an hour that there is.
const NOTHING: u64 = u64::MAX;

/// Milliseconds of a quarter of an hour: all offsets since 1972 began at one.
const QUARTER: u64 = 900_000;

/// Makes an offset positive: more than any has, in seconds.
const BIAS: i64 = 1 << 18;

/// Bits of an offset with its bias.
const OFFSET_BITS: u32 = 20;

impl TimeZone {
    /// The zone of this name, whatever the case of its letters; none where this version does not know it.
    pub fn named(name: &str) -> Option<TimeZone> {
        let rules = tz::TimeZone::get(name).ok()?;
        let name = rules.iana_name()?.into();
        Some(TimeZone { name, rules, last: AtomicU64::new(NOTHING) })
    }

    /// UTC.
    pub fn utc() -> TimeZone {
        TimeZone::from("UTC".to_owned())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The date that a moment has in it. Before 1970 there are none.
    pub fn day(&self, at: Timestamp) -> Day {
        let local = i64::try_from(at.min(LAST).0).unwrap_or(i64::MAX) + self.offset_seconds(at.min(LAST)) * 1_000;
        Timestamp(u64::try_from(local).unwrap_or_default()).day()
    }

    /// When a date begins in it, as a client anywhere reads it (RFC 3339): `2026-12-01T00:00:00+01:00`. That is midnight,
    /// or the first moment after it where the clocks are put forward then.
    pub fn beginning(&self, day: Day) -> String {
        let moment = || {
            let date =
                civil::date(1970, 1, 1).checked_add(jiff::Span::new().try_days(i64::try_from(day.0).ok()?).ok()?);
            let begins = self.rules.to_timestamp(date.ok()?.to_datetime(civil::Time::midnight())).ok()?;
            Some(begins.display_with_offset(self.rules.to_offset(begins)).to_string())
        };
        moment().unwrap_or_else(|| day.to_string())
    }

    /// How far ahead of UTC it is at a moment.
    fn offset_seconds(&self, at: Timestamp) -> i64 {
        let quarter = at.0 / QUARTER;
        let last = self.last.load(Ordering::Relaxed);
        if last >> OFFSET_BITS == quarter {
            return (last & ((1 << OFFSET_BITS) - 1)) as i64 - BIAS;
        }
        let offset = self.by_the_rules(at);
        let (first, end) = (Timestamp(quarter * QUARTER), Timestamp(quarter * QUARTER + QUARTER - 1));
        // before 1972 there were offsets of odd seconds that began at any moment
        if self.by_the_rules(first) == offset && self.by_the_rules(end) == offset {
            self.last.store(pack(quarter, offset), Ordering::Relaxed);
        }
        offset
    }

    fn by_the_rules(&self, at: Timestamp) -> i64 {
        let at = i64::try_from(at.0).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
        at.map_or(0, |at| i64::from(self.rules.to_offset(at).seconds()))
    }
}

/// The last moment whose date is looked for, some weeks before the year 9999 ends; later ones have that of this one.
const LAST: Timestamp = Timestamp(2_932_863 * 86_400_000);

fn pack(quarter: u64, offset_seconds: i64) -> u64 {
    quarter << OFFSET_BITS | u64::try_from(offset_seconds + BIAS).unwrap_or_default()
}

impl Default for TimeZone {
    fn default() -> Self {
        TimeZone::utc()
    }
}

impl From<String> for TimeZone {
    /// The zone of this name, as it is kept: UTC under that name where this version does not know it.
    fn from(name: String) -> Self {
        let rules = tz::TimeZone::get(&name).unwrap_or(tz::TimeZone::UTC);
        TimeZone { name: name.into(), rules, last: AtomicU64::new(NOTHING) }
    }
}

impl From<TimeZone> for String {
    fn from(zone: TimeZone) -> Self {
        zone.name.into()
    }
}

impl Clone for TimeZone {
    fn clone(&self) -> Self {
        let last = AtomicU64::new(self.last.load(Ordering::Relaxed));
        TimeZone { name: self.name.clone(), rules: self.rules.clone(), last }
    }
}

impl PartialEq for TimeZone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for TimeZone {}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::moment;
    use proptest::prelude::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::named(name).unwrap()
    }

    fn date(name: &str, at: &str) -> String {
        zone(name).day(moment::parse(at).unwrap()).to_string()
    }

    #[test]
    fn a_moment_has_the_date_of_the_zone() {
        for (name, at, day) in [
            ("UTC", "2026-11-30T23:59:59.999Z", "2026-11-30"),
            ("UTC", "2026-12-01T00:00:00Z", "2026-12-01"),
            ("Europe/Paris", "2026-11-30T22:59:59.999Z", "2026-11-30"),
            ("Europe/Paris", "2026-11-30T23:00:00Z", "2026-12-01"),
            ("Asia/Kathmandu", "2026-11-30T18:14:59Z", "2026-11-30"),
            ("Asia/Kathmandu", "2026-11-30T18:15:00Z", "2026-12-01"),
            ("Pacific/Kiritimati", "2026-11-30T10:00:00Z", "2026-12-01"),
            ("Etc/GMT+12", "2026-12-01T11:59:59Z", "2026-11-30"),
            // the day of 23 hours, and that of 25
            ("Europe/Paris", "2027-03-27T23:00:00Z", "2027-03-28"),
            ("Europe/Paris", "2027-03-28T21:59:59Z", "2027-03-28"),
            ("Europe/Paris", "2027-03-28T22:00:00Z", "2027-03-29"),
            ("Europe/Paris", "2027-10-30T22:00:00Z", "2027-10-31"),
            ("Europe/Paris", "2027-10-31T22:59:59Z", "2027-10-31"),
            ("Europe/Paris", "2027-10-31T23:00:00Z", "2027-11-01"),
        ] {
            assert_eq!(date(name, at), day, "{name}, {at}");
        }
        assert_eq!(zone("Etc/GMT+12").day(Timestamp(0)), Day(0), "before 1970 there are no days");
        assert_eq!(zone("UTC").day(Timestamp(u64::MAX)), LAST.day());
    }

    #[test]
    fn a_date_begins_at_midnight_or_as_soon_as_there_is_one() {
        let begins = |name: &str, day: &str| zone(name).beginning(moment::parse(day).unwrap().day());
        assert_eq!(begins("UTC", "2026-12-01"), "2026-12-01T00:00:00+00:00");
        assert_eq!(begins("Europe/Paris", "2026-12-01"), "2026-12-01T00:00:00+01:00");
        assert_eq!(begins("America/St_Johns", "2027-07-01"), "2027-07-01T00:00:00-02:30");
        // clocks go forward at midnight
        assert_eq!(begins("Africa/Cairo", "2024-04-26"), "2024-04-26T01:00:00+03:00");
        assert_eq!(zone("UTC").beginning(Day(u64::MAX)), Day(u64::MAX).to_string());
    }

    #[test]
    fn a_zone_is_known_by_its_name_and_kept_by_it() {
        assert_eq!(TimeZone::named("europe/paris").unwrap().name(), "Europe/Paris");
        assert!(TimeZone::named("Europe/Atlantis").is_none());
        let lost = TimeZone::from("Europe/Atlantis".to_owned());
        assert_eq!((lost.name(), lost.day(Timestamp(86_400_000))), ("Europe/Atlantis", Day(1)));
        let kept = serde_json::to_string(&zone("Europe/Paris")).unwrap();
        assert_eq!((kept.as_str(), serde_json::from_str(&kept).unwrap()), ("\"Europe/Paris\"", zone("Europe/Paris")));
    }

    proptest! {
        #[test]
        fn what_is_remembered_is_what_the_rules_say(
            name in prop::sample::select(vec![
                "UTC", "Europe/Paris", "America/St_Johns", "Africa/Cairo", "Pacific/Kiritimati", "Pacific/Apia",
                "Etc/GMT+12", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Havana",
            ]),
            // near changes of the offset in autumn 2027 and spring 2028, and anywhere
            at in prop::collection::vec(
                prop_oneof![
                    0..4_102_444_800_000u64,
                    1_824_000_000_000..1_826_000_000_000u64,
                    1_837_000_000_000..1_838_000_000_000u64,
                ],
                1..40,
            ),
        ) {
            let zone = zone(name);
            for at in at.into_iter().flat_map(|at| [at, at + 1_000, at + QUARTER, at]).map(Timestamp) {
                let date = zone.rules.to_datetime(jiff::Timestamp::from_millisecond(at.0 as i64).unwrap()).date();
                prop_assert_eq!(zone.day(at).to_string(), date.to_string());
            }
        }
    }
}
