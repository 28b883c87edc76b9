//! The rules of an SMTP user as a form: shown, read, and told what cannot be, field by field.

use ipnet::IpNet;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use relay::clock::Timestamp;
use relay::priority::Class;
use relay::service::view::SmtpUserView;
use relay::service::{RulesChange, Setting, domain_name, mailbox};
use serde::Deserialize;
use std::net::IpAddr;

use super::refusal::Refusal;
use super::words::Words;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// How long to know a message again, as the form offers it.
const REPEATS: [u64; 4] = [HOUR, 12 * HOUR, DAY, 7 * DAY];

/// How long to retry, as the form offers it.
const RETRIES: [u64; 6] = [HOUR, 4 * HOUR, 12 * HOUR, DAY, 3 * DAY, 5 * DAY];

/// The rules as typed: what a browser sends, and what the form shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct RulesForm {
    /// A day, or nothing.
    pub(super) expires: String,
    /// Seconds, or nothing.
    pub(super) retry: String,
    /// `high` or `low`, or nothing.
    pub(super) priority: String,
    /// Seconds, or nothing.
    pub(super) repeat: String,
    pub(super) networks: String,
    pub(super) senders: String,
    pub(super) recipient_domains: String,
    pub(super) all_or_nothing: Option<String>,
    pub(super) refuse_suppressed: Option<String>,
    pub(super) one_click_unsubscribe: Option<String>,
    pub(super) sandbox: Option<String>,
}

/// What cannot be: of which field, and why.
pub(super) struct Wrong {
    pub(super) field: &'static str,
    pub(super) why: Refusal,
}

/// One of those that can be chosen.
pub(super) struct Way {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) is_chosen: bool,
}

fn zone(words: &Words) -> TimeZone {
    TimeZone::get(words.zone()).unwrap_or(TimeZone::UTC)
}

/// The last day on which logins work, where they end at this moment.
pub(super) fn last_day(words: &Words, rfc3339: &str) -> Option<String> {
    let end = rfc3339.parse::<jiff::Timestamp>().ok()?;
    let before = jiff::Timestamp::from_millisecond(end.as_millisecond() - 1).ok()?;
    Some(zone(words).to_datetime(before).date().to_string())
}

/// The end of a day in the account's zone.
fn end_of(words: &Words, day: Date) -> Option<Timestamp> {
    let end = zone(words).to_timestamp(day.tomorrow().ok()?.at(0, 0, 0, 0)).ok()?;
    u64::try_from(end.as_millisecond()).ok().map(Timestamp)
}

fn lines(text: &str) -> Vec<String> {
    let parts = text.split(|letter: char| letter == ',' || letter == ';' || letter.is_whitespace());
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn ticked(on: bool) -> Option<String> {
    on.then(|| "1".to_owned())
}

impl RulesForm {
    /// The rules in force.
    pub(super) fn of(words: &Words, user: &SmtpUserView) -> RulesForm {
        RulesForm {
            expires: user.expires_at.as_deref().and_then(|at| last_day(words, at)).unwrap_or_default(),
            retry: user.retry_seconds.map(|seconds| seconds.to_string()).unwrap_or_default(),
            priority: if user.priority == "normal" { String::new() } else { user.priority.clone() },
            repeat: user.repeat_seconds.map(|seconds| seconds.to_string()).unwrap_or_default(),
            networks: user.networks.join("\n"),
            senders: user.senders.join("\n"),
            recipient_domains: user.recipient_domains.join("\n"),
            all_or_nothing: ticked(user.all_or_nothing),
            refuse_suppressed: ticked(user.refuse_suppressed),
            one_click_unsubscribe: ticked(user.one_click_unsubscribe),
            sandbox: ticked(user.sandbox),
        }
    }

    /// Whether anything is asked for beyond what every SMTP user may.
    pub(super) fn is_plain(&self) -> bool {
        *self == RulesForm::default()
    }

    /// The ways to retry that the form offers; one in force that is none of them stays.
    pub(super) fn retries(&self, words: &Words) -> Vec<Way> {
        periods(words, &self.retry, &RETRIES, words.t("rules-retry-default"))
    }

    /// The periods to know a message again in that the form offers.
    pub(super) fn repeats(&self, words: &Words) -> Vec<Way> {
        periods(words, &self.repeat, &REPEATS, words.t("rules-repeat-default"))
    }

    /// How urgent mail can be.
    pub(super) fn priorities(&self, words: &Words) -> Vec<Way> {
        let way = |(value, id): (&str, &str)| Way {
            value: value.to_owned(),
            label: words.t(id),
            is_chosen: self.priority == value,
        };
        [("high", "rules-priority-high"), ("", "rules-priority-normal"), ("low", "rules-priority-low")].map(way).into()
    }

    /// What changes, where the form was filled from `before`.
    pub(super) fn change(
        &self,
        words: &Words,
        before: &RulesForm,
        domain: &str,
        now: Timestamp,
    ) -> Result<RulesChange, Wrong> {
        let wrong = |field, id: &str, text: &str| Wrong { field, why: Refusal::Ours(words.with(id, "text", text)) };
        let networks = lines(&self.networks)
            .into_iter()
            .map(|text| network(&text).ok_or_else(|| wrong("networks", "rules-no-network", &text)));
        let senders = lines(&self.senders).into_iter().map(|text| {
            let is_own = mailbox(&text).is_ok_and(|known| known.rsplit_once('@').is_some_and(|(_, own)| own == domain));
            if is_own { Ok(text) } else { Err(wrong("senders", "rules-no-sender", &text)) }
        });
        let recipients = lines(&self.recipient_domains)
            .into_iter()
            .map(|text| domain_name(&text).map_err(|_| wrong("recipient-domains", "rules-no-domain", &text)));
        Ok(RulesChange {
            expires_at: self.expiry(words, before, now)?,
            networks: Setting::To(networks.collect::<Result<_, _>>()?),
            all_or_nothing: Setting::To(self.all_or_nothing.is_some()),
            sandbox: Setting::To(self.sandbox.is_some()),
            retry_seconds: self.retry.parse().map_or(Setting::Default, Setting::To),
            senders: Setting::To(senders.collect::<Result<_, _>>()?),
            recipient_domains: Setting::To(recipients.collect::<Result<_, _>>()?),
            refuse_suppressed: Setting::To(self.refuse_suppressed.is_some()),
            priority: match self.priority.as_str() {
                "high" => Setting::To(Class::High),
                "low" => Setting::To(Class::Low),
                _ => Setting::Default,
            },
            one_click_unsubscribe: Setting::To(self.one_click_unsubscribe.is_some()),
            repeat_seconds: self.repeat.parse().map_or(Setting::Default, Setting::To),
        })
    }

    /// A day that was not touched keeps its moment, which the API may have given to the second.
    fn expiry(&self, words: &Words, before: &RulesForm, now: Timestamp) -> Result<Setting<Timestamp>, Wrong> {
        if self.expires == before.expires {
            return Ok(Setting::Keep);
        }
        if self.expires.is_empty() {
            return Ok(Setting::Default);
        }
        let end = self.expires.parse().ok().and_then(|day| end_of(words, day)).filter(|end| *end > now);
        end.map(Setting::To).ok_or_else(|| Wrong { field: "expires", why: Refusal::Ours(words.t("rules-no-expiry")) })
    }
}

/// What a field of periods offers: nothing, some, and the one in force.
fn periods(words: &Words, chosen: &str, offered: &[u64], default: String) -> Vec<Way> {
    let chosen = chosen.parse::<u64>().ok();
    let mut all = offered.to_vec();
    all.extend(chosen.filter(|chosen| !offered.contains(chosen)));
    all.sort_unstable();
    let default = Way { value: String::new(), label: default, is_chosen: chosen.is_none() };
    let way = |seconds: u64| Way {
        value: seconds.to_string(),
        label: retry_text(words, seconds),
        is_chosen: chosen == Some(seconds),
    };
    std::iter::once(default).chain(all.into_iter().map(way)).collect()
}

/// A period to retry for, in the largest unit that it is whole in.
pub(super) fn retry_text(words: &Words, seconds: u64) -> String {
    match seconds {
        seconds if seconds % DAY == 0 => words.count("rules-days", seconds / DAY),
        seconds if seconds % HOUR == 0 => words.count("rules-hours", seconds / HOUR),
        seconds => words.count("rules-minutes", seconds / 60),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use relay::language::Language;

    const NOW: Timestamp = Timestamp(1_795_469_468_123);

    fn words() -> Words {
        Words::in_zone(Language::English, "America/Toronto")
    }

    fn changed(form: &RulesForm) -> Result<RulesChange, &'static str> {
        form.change(&words(), &RulesForm::default(), "example.com", NOW).map_err(|wrong| wrong.field)
    }

    #[test]
    fn a_day_ends_where_the_account_is() {
        let form = RulesForm { expires: "2027-01-31".into(), ..RulesForm::default() };
        let Ok(RulesChange { expires_at: Setting::To(end), .. }) = changed(&form) else { panic!() };
        assert_eq!(relay::moment::text(end), "2027-02-01T05:00:00.000Z");
        assert_eq!(last_day(&words(), "2027-02-01T05:00:00.000Z").unwrap(), "2027-01-31");
        assert_eq!(form.change(&words(), &form, "example.com", NOW).ok().unwrap().expires_at, Setting::Keep);
    }

    #[test]
    fn each_field_is_told_what_is_wrong_with_it() {
        let form = RulesForm::default;
        for (field, wrong) in [
            ("expires", RulesForm { expires: "2020-01-31".into(), ..form() }),
            ("networks", RulesForm { networks: "192.0.2.0/24\nhere".into(), ..form() }),
            ("senders", RulesForm { senders: "a@sub.example.com".into(), ..form() }),
            ("recipient-domains", RulesForm { recipient_domains: "nodot".into(), ..form() }),
        ] {
            assert_eq!(changed(&wrong).err(), Some(field));
        }
        let right =
            RulesForm { networks: "192.0.2.7, 2001:db8::/32".into(), senders: "a@example.com".into(), ..form() };
        let Ok(RulesChange { networks: Setting::To(networks), .. }) = changed(&right) else { panic!() };
        assert_eq!(networks.iter().map(ToString::to_string).collect::<Vec<_>>(), ["192.0.2.7/32", "2001:db8::/32"]);
    }

    #[test]
    fn one_of_three_priorities_is_chosen() {
        for (chosen, class) in
            [("high", Setting::To(Class::High)), ("", Setting::Default), ("low", Setting::To(Class::Low))]
        {
            let form = RulesForm { priority: chosen.into(), ..RulesForm::default() };
            assert_eq!(changed(&form).unwrap().priority, class);
            let offered = form.priorities(&words());
            assert_eq!(offered.len(), 3);
            assert!(offered.iter().all(|way| way.is_chosen == (way.value == chosen)));
        }
    }

    #[test]
    fn a_period_in_force_stays_among_those_offered() {
        let form = RulesForm { retry: "5400".into(), ..RulesForm::default() };
        let offered = form.retries(&words());
        assert_eq!(
            offered.iter().filter(|way| way.is_chosen).map(|way| way.value.as_str()).collect::<Vec<_>>(),
            ["5400"]
        );
        assert_eq!(offered.len(), RETRIES.len() + 2);
    }
}
