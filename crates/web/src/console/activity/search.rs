//! The search of Activity: what the address of the page asks for, and the filter that it makes.

use jiff::ToSpan;
use jiff::civil::Date;
use relay::activity::{ActivityFilter, Status};
use relay::clock::Timestamp;
use relay::id::Id;
use serde::Deserialize;

use crate::console::words::Words;

/// The days of the longest period, which is that of who names none.
const DAYS: i64 = 30;

/// Every status, by the word in the page's address.
pub(super) const STATUSES: [(&str, Status); 7] = [
    ("delivered", Status::Delivered),
    ("accepted", Status::Accepted),
    ("pending", Status::Pending),
    ("deferred", Status::Deferred),
    ("soft", Status::SoftBounce),
    ("hard", Status::HardBounce),
    ("rejected", Status::Rejected),
];

/// Every period, by the word in the page's address; each has a message of its name.
pub(super) const PERIODS: [&str; 5] = ["today", "yesterday", "7", "30", "custom"];

/// What the address of the page says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Search {
    pub(super) to: String,
    pub(super) from: String,
    pub(super) subject: String,
    pub(super) period: String,
    /// The period that the form showed: another one was chosen by hand, and wins over its days.
    pub(super) was: String,
    pub(super) domain: String,
    pub(super) user: String,
    pub(super) since: String,
    pub(super) until: String,
    pub(super) id: String,
    pub(super) status: String,
    /// The class of a failure, by its name; chosen from one recipient on.
    pub(super) class: String,
    pub(super) before: String,
    pub(super) live: String,
}

/// What cannot be searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unclear {
    /// The days are none, or the first comes after the last.
    Days,
    /// This is not the id of a message.
    Message,
}

impl Search {
    pub(super) fn of(here: &str) -> Search {
        let query = here.split_once('?').map_or("", |(_, query)| query);
        let mut search: Search = serde_html_form::from_str(query).unwrap_or_default();
        for text in [&mut search.to, &mut search.from, &mut search.subject, &mut search.id] {
            *text = text.trim().to_owned();
        }
        search.period = search.chosen().to_owned();
        if search.period != "custom" {
            (search.since, search.until) = (String::new(), String::new());
        }
        search
    }

    /// The word of the period.
    fn chosen(&self) -> &'static str {
        let has_days = !self.since.is_empty() || !self.until.is_empty();
        let named = PERIODS.into_iter().find(|period| *period == self.period);
        match named {
            Some("custom") | None if has_days => "custom",
            // days were filled in beside the period that stood there
            Some(period) if has_days && period == self.was => "custom",
            Some("custom") | None => "30",
            Some(period) => period,
        }
    }

    /// Whether only the newest rows are shown, as they come.
    pub(super) fn is_live(&self) -> bool {
        self.live == "1" && self.before.is_empty()
    }

    /// Whether anything narrows the search.
    pub(super) fn is_narrow(&self) -> bool {
        let texts =
            [&self.to, &self.from, &self.subject, &self.domain, &self.user, &self.id, &self.status, &self.class];
        texts.iter().any(|text| !text.is_empty()) || self.period != "30"
    }

    /// Whether a filter stands in the folded part of the form.
    pub(super) fn has_more(&self) -> bool {
        [&self.domain, &self.user, &self.since, &self.until, &self.id].iter().any(|text| !text.is_empty())
    }

    /// The first and last day in the reader's zone.
    fn days(&self, today: Date) -> Result<(Date, Date), Unclear> {
        let back = |days: i64| today.saturating_sub(days.days());
        let given = |text: &str, other: Date| {
            if text.is_empty() { Ok(other) } else { text.parse::<Date>().map_err(|_| Unclear::Days) }
        };
        let (since, until) = match self.period.as_str() {
            "today" => (today, today),
            "yesterday" => (back(1), back(1)),
            "7" => (back(6), today),
            "custom" => (given(&self.since, back(DAYS - 1))?, given(&self.until, today)?),
            _ => (back(DAYS - 1), today),
        };
        if since > until { Err(Unclear::Days) } else { Ok((since, until)) }
    }

    /// The filter of the search, without its limit.
    pub(super) fn filter(&self, words: &Words) -> Result<ActivityFilter, Unclear> {
        let today = words.today();
        let (since, until) = self.days(today)?;
        let text = |text: &String| (!text.is_empty()).then(|| text.clone());
        let message = if self.id.is_empty() { None } else { Some(self.id.parse().map_err(|_| Unclear::Message)?) };
        // today has no end yet: what comes in while somebody looks is in it
        let end = if until >= today { None } else { words.begin_of(until.saturating_add(1.day())) };
        Ok(ActivityFilter {
            account: None,
            domain: self.domain.parse().ok().map(Id::new),
            user: self.user.parse().ok().map(Id::new),
            recipient: text(&self.to),
            sender: text(&self.from),
            subject: text(&self.subject),
            status: STATUSES.iter().find(|(word, _)| *word == self.status).map(|(_, status)| *status),
            class: self.class.parse().ok(),
            message,
            since: Some(words.begin_of(since).unwrap_or(Timestamp(0))),
            until: end,
            limit: 0,
            before_row: self.before.parse().ok().filter(|row| i64::try_from(*row).is_ok()),
        })
    }

    /// The search as the query of an address, with these values in place of its own.
    pub(super) fn query(&self, changes: &[(&str, &str)]) -> String {
        let period = if self.period == "30" { "" } else { self.period.as_str() };
        let own = [
            ("to", self.to.as_str()),
            ("from", &self.from),
            ("subject", &self.subject),
            ("period", period),
            ("domain", &self.domain),
            ("user", &self.user),
            ("since", &self.since),
            ("until", &self.until),
            ("id", &self.id),
            ("status", &self.status),
            ("class", &self.class),
            ("live", &self.live),
        ];
        let kept = own.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        let pairs: Vec<_> = kept.chain(changes).filter(|(_, value)| !value.is_empty()).copied().collect();
        serde_html_form::to_string(pairs).unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use relay::language::Language;
    use relay::outcome::Class;

    fn days(here: &str) -> Result<(String, String), Unclear> {
        let today = "2026-11-29".parse().unwrap();
        Search::of(here).days(today).map(|(since, until)| (since.to_string(), until.to_string()))
    }

    #[test]
    fn periods_are_days_of_the_reader() {
        let told = |since: &str, until: &str| Ok((since.to_owned(), until.to_owned()));
        assert_eq!(days("/activity"), told("2026-10-31", "2026-11-29"));
        assert_eq!(days("/activity?period=today"), told("2026-11-29", "2026-11-29"));
        assert_eq!(days("/activity?period=yesterday"), told("2026-11-28", "2026-11-28"));
        assert_eq!(days("/activity?period=7"), told("2026-11-23", "2026-11-29"));
        assert_eq!(days("/activity?since=2026-11-02&until=2026-11-03"), told("2026-11-02", "2026-11-03"));
        assert_eq!(days("/activity?period=custom&since=2026-11-02"), told("2026-11-02", "2026-11-29"));
        assert_eq!(days("/activity?period=custom"), told("2026-10-31", "2026-11-29"));
        // days beside the period that stood there are meant; another period chosen beside them is meant, too
        assert_eq!(days("/activity?period=30&was=30&since=2026-11-02"), told("2026-11-02", "2026-11-29"));
        assert_eq!(days("/activity?period=7&was=custom&since=2026-11-02"), told("2026-11-23", "2026-11-29"));
        assert_eq!(days("/activity?since=2026-11-03&until=2026-11-02"), Err(Unclear::Days));
        assert_eq!(days("/activity?since=soon"), Err(Unclear::Days));
    }

    #[test]
    fn an_address_makes_a_filter_and_stays_itself() {
        let search = Search::of(
            "/activity?to=%20anna@&status=hard&class=mailbox_full&domain=3&user=x&before=77&live=1&period=today",
        );
        let words = Words::new(Language::English);
        let filter = search.filter(&words).unwrap();
        assert_eq!((filter.recipient.as_deref(), filter.status), (Some("anna@"), Some(Status::HardBounce)));
        assert_eq!(filter.class, Some(Class::MailboxFull));
        assert_eq!((filter.domain, filter.user, filter.before_row), (Some(Id::new(3)), None, Some(77)));
        assert!(filter.since.is_some() && filter.until.is_none() && !search.is_live() && search.is_narrow());
        assert_eq!(
            search.query(&[("status", ""), ("class", ""), ("live", "")]),
            "to=anna%40&period=today&domain=3&user=x"
        );
        assert_eq!(Search::of("/activity?id=no").filter(&words), Err(Unclear::Message));
        assert!(!Search::of("/activity").is_narrow() && Search::of("/activity?live=1").is_live());
    }
}
