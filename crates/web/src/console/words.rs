//! What pages say, in the language, time zone and number format of whoever reads them.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use icu_calendar::Iso;
use icu_datetime::DateTimeFormatter;
use icu_datetime::fieldsets::{E, MD, MDT, YMD, YMDE, YMDT};
use icu_datetime::input::{Date, DateTime, Time};
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_locale_core::{Locale, locale};
use jiff::civil;
use jiff::tz::TimeZone;
use relay::clock::{Day, Timestamp};
use relay::language::Language;
use std::sync::LazyLock;

/// The sources of what is said in a language: one file for each part of the console.
macro_rules! sources {
    ($language:literal) => {
        [
            include_str!(concat!("../../words/", $language, "/frame.ftl")),
            include_str!(concat!("../../words/", $language, "/letters.ftl")),
            include_str!(concat!("../../words/", $language, "/overview.ftl")),
            include_str!(concat!("../../words/", $language, "/reasons.ftl")),
            include_str!(concat!("../../words/", $language, "/sending.ftl")),
            include_str!(concat!("../../words/", $language, "/connect.ftl")),
            include_str!(concat!("../../words/", $language, "/running.ftl")),
            include_str!(concat!("../../words/", $language, "/webhooks.ftl")),
            include_str!(concat!("../../words/", $language, "/inbox.ftl")),
            include_str!(concat!("../../words/", $language, "/operator.ftl")),
            include_str!(concat!("../../words/", $language, "/plans.ftl")),
            include_str!(concat!("../../words/", $language, "/reference.ftl")),
            include_str!(concat!("../../words/", $language, "/audit.ftl")),
        ]
    };
}

static SPEECHES: LazyLock<[Speech; 2]> = LazyLock::new(|| {
    // the relay says its faults, and what its checks found, in English itself
    let french =
        [&sources!("fr")[..], &[include_str!("../../words/fr/faults.ftl"), include_str!("../../words/fr/checks.ftl")]]
            .concat();
    [Speech::new(Language::English, &sources!("en")), Speech::new(Language::French, &french)]
});

/// Everything that is the same for all who read a language.
struct Speech {
    bundle: FluentBundle<FluentResource>,
    numbers: Option<DecimalFormatter>,
    moments: Option<DateTimeFormatter<YMDT>>,
    minutes: Option<DateTimeFormatter<YMDT>>,
    days: Option<DateTimeFormatter<YMD>>,
    weekdays: Option<DateTimeFormatter<YMDE>>,
    short_days: Option<DateTimeFormatter<MD>>,
    names_of_days: Option<DateTimeFormatter<E>>,
    recent: Option<DateTimeFormatter<MDT>>,
}

impl Speech {
    fn new(language: Language, sources: &[&str]) -> Speech {
        let locale: Locale = match language {
            Language::English => locale!("en-CA"),
            Language::French => locale!("fr-CA"),
        };
        let mut bundle = FluentBundle::new_concurrent(vec![language.tag().parse().unwrap_or_default()]);
        bundle.set_use_isolating(false);
        for source in sources {
            // a source that cannot be read fails a test; what can be of it is used
            let resource = FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(readable, _)| readable);
            bundle.add_resource_overriding(resource);
        }
        Speech {
            bundle,
            numbers: DecimalFormatter::try_new((&locale).into(), Default::default()).ok(),
            moments: DateTimeFormatter::try_new((&locale).into(), YMD::medium().with_time_hms()).ok(),
            minutes: DateTimeFormatter::try_new((&locale).into(), YMD::medium().with_time_hm()).ok(),
            days: DateTimeFormatter::try_new((&locale).into(), YMD::medium()).ok(),
            weekdays: DateTimeFormatter::try_new((&locale).into(), YMDE::medium()).ok(),
            short_days: DateTimeFormatter::try_new((&locale).into(), MD::medium()).ok(),
            names_of_days: DateTimeFormatter::try_new((&locale).into(), E::short()).ok(),
            recent: DateTimeFormatter::try_new((&locale).into(), MD::medium().with_time_hms()).ok(),
        }
    }

    fn of(language: Language) -> &'static Speech {
        let [english, french] = &*SPEECHES;
        match language {
            Language::English => english,
            Language::French => french,
        }
    }
}

/// How somebody is spoken to.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    /// The language.
    pub(super) language: Language,
    zone: TimeZone,
}

impl Words {
    /// In a language, with times in UTC.
    pub(crate) fn new(language: Language) -> Words {
        Words { language, zone: TimeZone::UTC }
    }

    /// With times in a zone (IANA name); in UTC where there is none such.
    pub(crate) fn in_zone(language: Language, zone: &str) -> Words {
        Words { language, zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC) }
    }

    /// The name of the zone.
    pub(crate) fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The end of a day that was typed; none where nothing was.
    ///
    /// # Errors
    /// It is no day.
    pub(super) fn end_of_day(&self, typed: &str) -> Result<Option<Timestamp>, jiff::Error> {
        if typed.trim().is_empty() {
            return Ok(None);
        }
        let next = typed.trim().parse::<civil::Date>()?.tomorrow()?.to_datetime(civil::Time::midnight());
        let end = self.zone.to_timestamp(next)?.as_millisecond();
        Ok(Some(Timestamp(u64::try_from(end).unwrap_or_default())))
    }

    /// The message of this name.
    pub(crate) fn t(&self, id: &str) -> String {
        self.say(id, None)
    }

    /// Whoever did something, as the audit log names them: one of the operator's people who acted in an account's place is
    /// said to be one.
    pub(crate) fn person(&self, actor: &str) -> String {
        match actor.strip_suffix(relay::store::Actor::OF_OPERATOR) {
            Some(name) => self.with("person-of-operator", "name", name),
            None => actor.to_owned(),
        }
    }

    /// Whether there is a message of this name.
    pub(super) fn has(&self, id: &str) -> bool {
        Speech::of(self.language).bundle.has_message(id)
    }

    /// The message of this name with something put in.
    pub(super) fn with<'a>(&self, id: &str, name: &'a str, value: impl Into<FluentValue<'a>>) -> String {
        self.say(id, Some(&FluentArgs::from_iter([(name, value.into())])))
    }

    /// The message of this name with several things put in.
    pub(crate) fn filled(&self, id: &str, values: &[(&str, &str)]) -> String {
        self.say(id, Some(&values.iter().map(|(name, value)| (*name, FluentValue::from(*value))).collect()))
    }

    /// The message of this name for a count: plural by the rules of the language, the number in its format.
    pub(super) fn count(&self, id: &str, count: u64) -> String {
        let shown = self.number(count);
        let values = [("count", FluentValue::from(count)), ("number", FluentValue::from(shown))];
        self.say(id, Some(&values.into_iter().collect()))
    }

    /// The same with further things put in.
    pub(super) fn count_with(&self, id: &str, count: u64, name: &str, value: &str) -> String {
        let shown = self.number(count);
        let values = [("count", FluentValue::from(count)), ("number", FluentValue::from(shown)), (name, value.into())];
        self.say(id, Some(&values.into_iter().collect()))
    }

    fn say(&self, id: &str, values: Option<&FluentArgs<'_>>) -> String {
        let bundle = &Speech::of(self.language).bundle;
        let pattern = bundle.get_message(id).and_then(|message| message.value());
        // a name that is missing fails a test; a reader sees the name
        let Some(pattern) = pattern else { return id.to_owned() };
        let said = bundle.format_pattern(pattern, values, &mut Vec::new());
        // the dot of an abbreviation ends the sentence, too
        if said.contains(".m..") { said.replace(".m..", ".m.") } else { said.into_owned() }
    }

    /// A whole number: `1,834` or `1 834`.
    pub(crate) fn number(&self, number: u64) -> String {
        match &Speech::of(self.language).numbers {
            Some(numbers) => numbers.format(&Decimal::from(number)).to_string(),
            None => number.to_string(),
        }
    }

    /// A part of one as per cent, with one decimal: `98.4%` or `98,4 %`; a dash where there is none.
    pub(crate) fn percent(&self, part: Option<f64>) -> String {
        let Some(part) = part else { return "–".to_owned() };
        // a narrow blank that does not break, in both languages
        format!("{}\u{202f}%", self.tenths(part * 100.0))
    }

    /// A whole number of hundredths: `90 %`.
    pub(crate) fn whole_percent(&self, number: u8) -> String {
        format!("{number}\u{202f}%")
    }

    /// A number with one decimal: `98.4` or `98,4`.
    pub(super) fn tenths(&self, number: f64) -> String {
        let mut decimal = Decimal::from((number * 10.0).round() as i64);
        decimal.multiply_pow10(-1);
        match &Speech::of(self.language).numbers {
            Some(numbers) => numbers.format(&decimal).to_string(),
            None => decimal.to_string(),
        }
    }

    /// A moment to the second, from RFC 3339.
    pub(super) fn moment(&self, rfc3339: &str) -> String {
        self.shown(rfc3339, |speech| speech.moments.as_ref())
    }

    /// A moment of the last days to the second, without its year, from RFC 3339.
    pub(super) fn recent(&self, rfc3339: &str) -> String {
        let local = rfc3339.parse::<jiff::Timestamp>().ok().map(|at| self.zone.to_datetime(at));
        match (&Speech::of(self.language).recent, local.and_then(|local| Some((local.day(), moment_of(local)?)))) {
            // where there is little room it breaks between day and time alone
            (Some(form), Some((day, moment))) => {
                let said = self.dated(form.format(&moment).to_string(), day);
                said.replace(' ', "\u{a0}").replace(",\u{a0}", ", ")
            }
            _ => rfc3339.to_owned(),
        }
    }

    /// A moment to the minute, from RFC 3339.
    pub(crate) fn minute(&self, rfc3339: &str) -> String {
        self.shown(rfc3339, |speech| speech.minutes.as_ref())
    }

    /// A moment to the minute.
    pub(super) fn minute_of(&self, at: Timestamp) -> String {
        self.minute(&relay::moment::text(at))
    }

    fn shown(&self, rfc3339: &str, form: impl Fn(&Speech) -> Option<&DateTimeFormatter<YMDT>>) -> String {
        let Ok(at) = rfc3339.parse::<jiff::Timestamp>() else { return rfc3339.to_owned() };
        let local = self.zone.to_datetime(at);
        match (form(Speech::of(self.language)), moment_of(local)) {
            (Some(form), Some(moment)) => self.dated(form.format(&moment).to_string(), local.day()),
            _ => rfc3339.to_owned(),
        }
    }

    /// A date as it is read: in French the first day of a month is `1er`.
    fn dated(&self, said: String, day: i8) -> String {
        if self.language == Language::English || day != 1 {
            return said;
        }
        // the day comes before the time, and is a word of its own
        let is_day = |at: usize| {
            let (before, after) = (said[..at].chars().next_back(), said[at + 1..].chars().next());
            before.is_none_or(char::is_whitespace) && after.is_some_and(char::is_whitespace)
        };
        match said.match_indices('1').map(|(at, _)| at).find(|at| is_day(*at)) {
            Some(at) => format!("{}er{}", &said[..=at], &said[at + 1..]),
            None => said,
        }
    }

    /// A day, from `2026-11-29`.
    pub(crate) fn day(&self, iso: &str) -> String {
        self.of_day(
            iso,
            Speech::of(self.language).days.as_ref().map(|form| move |day: &Date<Iso>| form.format(day).to_string()),
        )
    }

    /// A day with its day of the week, from `2026-11-29`.
    pub(super) fn weekday(&self, iso: &str) -> String {
        self.of_day(
            iso,
            Speech::of(self.language).weekdays.as_ref().map(|form| move |day: &Date<Iso>| form.format(day).to_string()),
        )
    }

    /// A day in a form, from `2026-11-29`.
    fn of_day(&self, iso: &str, form: Option<impl Fn(&Date<Iso>) -> String>) -> String {
        let day = iso.parse::<civil::Date>().ok();
        match (form, day.and_then(|day| Some((day.day(), date_of(day)?)))) {
            (Some(form), Some((number, day))) => self.dated(form(&day), number),
            _ => iso.to_owned(),
        }
    }

    /// A day without its year, from `2026-11-29`.
    pub(super) fn short_day(&self, iso: &str) -> String {
        self.of_day(
            iso,
            Speech::of(self.language)
                .short_days
                .as_ref()
                .map(|form| move |day: &Date<Iso>| form.format(day).to_string()),
        )
    }

    /// The short name of a day of the week, from `2026-11-29`.
    pub(super) fn name_of_day(&self, iso: &str) -> String {
        let day = iso.parse::<civil::Date>().ok().and_then(date_of);
        match (&Speech::of(self.language).names_of_days, day) {
            (Some(form), Some(day)) => form.format(&day).to_string(),
            _ => iso.to_owned(),
        }
    }

    /// A moment for machines, in the zone: `2026-11-29T14:02:11-05:00`, from RFC 3339.
    pub(super) fn stamp(&self, rfc3339: &str) -> String {
        let Ok(at) = rfc3339.parse::<jiff::Timestamp>() else { return rfc3339.to_owned() };
        let offset = self.zone.to_offset(at);
        at.display_with_offset(offset).to_string()
    }

    /// Today, in the zone.
    pub(super) fn today(&self) -> civil::Date {
        self.zone.to_datetime(jiff::Timestamp::now()).date()
    }

    /// Today, in the zone, as statistics count days.
    pub(super) fn today_counted(&self) -> Day {
        let today = relay::moment::parse(&self.today().to_string());
        today.map(Timestamp::day).unwrap_or_default()
    }

    /// When a day begins in the zone; none before 1970.
    pub(super) fn begin_of(&self, day: civil::Date) -> Option<Timestamp> {
        let begin = self.zone.to_timestamp(day.to_datetime(civil::Time::midnight())).ok()?;
        u64::try_from(begin.as_millisecond()).ok().map(Timestamp)
    }

    /// The same in the other language.
    pub(super) fn other(&self) -> Language {
        match self.language {
            Language::English => Language::French,
            Language::French => Language::English,
        }
    }
}

fn date_of(day: civil::Date) -> Option<Date<Iso>> {
    let (month, day_of_month) = (u8::try_from(day.month()).ok()?, u8::try_from(day.day()).ok()?);
    Date::try_new_iso(i32::from(day.year()), month, day_of_month).ok()
}

fn moment_of(local: civil::DateTime) -> Option<DateTime<Iso>> {
    let part = |part: i8| u8::try_from(part).ok();
    let time = Time::try_new(part(local.hour())?, part(local.minute())?, part(local.second())?, 0).ok()?;
    Some(DateTime { date: date_of(local.date())?, time })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_day_of_a_month_is_said_as_french_says_it() {
        let (french, english) = (Words::new(Language::French), Words::new(Language::English));
        for (said, begins) in [
            (french.day("2026-12-01"), "1er déc"),
            (french.short_day("2026-12-01"), "1er déc"),
            (french.minute("2026-12-01T01:01:01Z"), "1er déc"),
            (french.moment("2026-12-01T11:01:01Z"), "1er déc"),
            (french.recent("2026-12-01T11:01:01Z"), "1er\u{a0}déc"),
            (french.day("2026-12-11"), "11 déc"),
            (french.minute("2026-12-21T01:01:01Z"), "21 déc"),
        ] {
            assert!(said.replace('\u{202f}', " ").starts_with(begins), "{said}");
        }
        assert!(french.weekday("2026-12-01").contains(" 1er "), "{}", french.weekday("2026-12-01"));
        assert!(!english.day("2026-12-01").contains("1er"), "{}", english.day("2026-12-01"));
    }

    #[test]
    fn one_of_the_operator_is_named_as_such_in_the_readers_language() {
        let (french, english) = (Words::new(Language::French), Words::new(Language::English));
        assert_eq!(french.person("marie@exemple.ca (operator)"), "marie@exemple.ca (exploitant)");
        assert_eq!(english.person("marie@exemple.ca (operator)"), "marie@exemple.ca (operator)");
        assert_eq!(french.person("anna@exemple.ca"), "anna@exemple.ca");
    }

    #[test]
    fn none_and_one_are_counted_rightly() {
        let (french, english) = (Words::new(Language::French), Words::new(Language::English));
        let found = |count| french.count_with("domain-records-found", count, "all", "4");
        assert_eq!([found(0), found(1)], ["0 enregistrement trouvé sur 4", "1 enregistrement trouvé sur 4"]);
        assert_eq!(found(2), "2 enregistrements trouvés sur 4");
        let waiting = |words: &Words, recipients, messages| {
            let of = words.count("queue-part-counted-messages", messages);
            words.count_with("queue-part-counted", recipients, "of", &of)
        };
        assert_eq!(waiting(&french, 1, 1), "1 destinataire de 1 message y attend en ce moment.");
        assert_eq!(waiting(&english, 2, 1), "2 recipients of 1 message wait there now.");
    }
}
