//! The dashboard of an account: what was sent in a period, and what became of it.

use askama::Template;
use axum::response::Response;
use relay::activity::ActivityFilter;
use relay::clock::{Day, Timestamp};
use relay::power::{Need, Power, Scope};
use relay::service::operation::Operation;
use relay::service::view::{ActivityView, DayTallyView, StatisticsView, TallyView};
use relay::statistics::{DAYS_MAX, Period};
use serde::Deserialize;

use super::activity::row::Row;
use super::chart::{self, Moment, Plot};
use super::page::{Failure, Page, shown};
use super::visit::{Visit, on_to};
use super::words::Words;
use super::{For, Route, show};

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![show("/", For::Visitors, page)]
}

/// Rows of Activity on the dashboard.
const LAST: u32 = 10;

/// Points of time in a chart: a longer period has several days in each.
const MOMENTS_MAX: usize = 31;

/// The domain's states in which mail from it is accepted.
const MAY_SEND: [&str; 3] = ["validated", "warning", "vouched"];

/// What is asked for by the address of the page.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    period: String,
    from: String,
    to: String,
    chart: String,
}

/// The period to choose, and what it is.
struct Choice {
    /// `today`, `yesterday`, `7`, `30` or `custom`.
    word: &'static str,
    period: Period,
    /// What was asked for is no period.
    is_wrong: bool,
}

fn day_of(iso: &str) -> Option<Day> {
    let is_day = iso.len() == 10 && !iso.contains(' ');
    relay::moment::parse(iso).ok().filter(|_| is_day).map(Timestamp::day)
}

fn choice(asked: &Asked, today: Day) -> Choice {
    let days =
        |word, days, until| Choice { word, period: Period { since: today.before(days), until }, is_wrong: false };
    match asked.period.as_str() {
        "today" => days("today", 0, today),
        "yesterday" => days("yesterday", 1, today.before(1)),
        "30" => days("30", 29, today),
        "custom" => {
            let given = day_of(&asked.from).zip(day_of(&asked.to));
            match given.and_then(|(since, until)| Period::new(since, until.min(today))) {
                Some(period) => Choice { word: "custom", period, is_wrong: false },
                None => Choice { word: "custom", is_wrong: true, ..days("7", 6, today) },
            }
        }
        _ => days("7", 6, today),
    }
}

/// A number with how it compares.
struct Tile {
    name: String,
    number: String,
    unit: &'static str,
    /// `good`, `worse` or neither.
    class: &'static str,
    /// `up` or `down`, where it changed.
    arrow: Option<&'static str>,
    change: String,
    against: String,
}

/// What more of it is.
#[derive(Clone, Copy)]
enum Better {
    Higher,
    Lower,
}

struct Comparison<'w> {
    words: &'w Words,
    /// The period before, in words.
    before: String,
}

impl Comparison<'_> {
    fn tile(&self, name: &str, number: String, unit: &'static str) -> Tile {
        let (change, against) = ("–".to_owned(), self.words.t("dashboard-nothing-before"));
        Tile { name: self.words.t(name), number, unit, class: "", arrow: None, change, against }
    }

    fn changed(&self, tile: Tile, difference: f64, change: String, better: Better) -> Tile {
        let up = difference > 0.0;
        let good = matches!((better, up), (Better::Higher, true) | (Better::Lower, false));
        let is_none = difference == 0.0;
        Tile {
            class: if is_none {
                ""
            } else if good {
                "good"
            } else {
                "worse"
            },
            arrow: (!is_none).then_some(if up { "up" } else { "down" }),
            change,
            against: self.words.with("dashboard-against", "period", self.before.as_str()),
            ..tile
        }
    }

    fn recipients(&self, now: u64, before: u64) -> Tile {
        let tile = self.tile("chart-recipients", self.words.number(now), "");
        if before == 0 {
            return tile;
        }
        let part = (now as f64 - before as f64) / before as f64;
        let change = format!("{}{}", sign(part), self.words.percent(Some(part.abs())));
        // more or less mail is neither good nor bad
        Tile { class: "", ..self.changed(tile, part, change, Better::Higher) }
    }

    fn rate(&self, name: &str, now: Option<f64>, before: Option<f64>, better: Better) -> Tile {
        let number = now.map_or_else(|| "–".to_owned(), |rate| self.words.tenths(rate * 100.0));
        let tile = self.tile(name, number, if now.is_some() { "\u{202f}%" } else { "" });
        let Some((now, before)) = now.zip(before) else { return tile };
        let points = ((now - before) * 1_000.0).round() / 10.0;
        let number = format!("{}{}", sign(points), self.words.tenths(points.abs()));
        self.changed(tile, points, self.words.with("dashboard-points", "number", number), better)
    }
}

fn sign(number: f64) -> &'static str {
    match number {
        more if more > 0.0 => "+",
        less if less < 0.0 => "\u{2212}",
        _ => "±",
    }
}

fn span(words: &Words, period: Period) -> String {
    let (since, until) = (words.day(&period.since.to_string()), words.day(&period.until.to_string()));
    if period.since == period.until {
        since
    } else {
        words.filled("dashboard-span", &[("from", &since), ("to", &until)])
    }
}

fn tiles(words: &Words, total: &TallyView, before: &TallyView, period: Period) -> Vec<Tile> {
    let comparison = Comparison { words, before: span(words, period.before()) };
    let under_way = comparison.tile("dashboard-under-way", words.number(total.pending), "");
    let complaints = comparison.tile("dashboard-complaints", words.number(total.complaints), "");
    let complained = (total.delivered > 0).then(|| total.complaints as f64 / total.delivered as f64 * 100.0);
    let change = complained.map_or_else(|| "–".to_owned(), |part| format!("{}\u{202f}%", words.hundredths(part)));
    vec![
        comparison.recipients(total.recipients, before.recipients),
        comparison.rate("chart-delivered", total.delivery_rate, before.delivery_rate, Better::Higher),
        comparison.rate("chart-soft-bounces", total.soft_bounce_rate, before.soft_bounce_rate, Better::Lower),
        comparison.rate("chart-hard-bounces", total.hard_bounce_rate, before.hard_bounce_rate, Better::Lower),
        Tile { change, against: words.t("dashboard-complaints-what"), ..complaints },
        Tile { change: String::new(), against: words.t("dashboard-under-way-what"), ..under_way },
    ]
}

/// The days of a period as points of a chart, several in one where there are many.
fn moments(words: &Words, days: &[DayTallyView]) -> Vec<Moment> {
    let each = days.len().div_ceil(MOMENTS_MAX).max(1);
    let moment = |days: &[DayTallyView]| {
        let (first, last) = (days.first()?, days.last()?);
        let sum = |part: fn(&TallyView) -> u64| days.iter().map(|day| part(&day.tally)).sum();
        let name = if days.len() == 1 {
            words.weekday(&first.day)
        } else {
            let (from, to) = (words.short_day(&first.day), words.short_day(&last.day));
            words.filled("dashboard-span", &[("from", from.as_str()), ("to", to.as_str())])
        };
        let on_axis = words.short_day(&first.day);
        let values = [
            sum(|tally| tally.recipients),
            sum(|tally| tally.delivered),
            sum(|tally| tally.soft_bounces),
            sum(|tally| tally.hard_bounces),
        ];
        Some(Moment { name, on_narrow_axis: on_axis.clone(), on_axis, values })
    };
    let mut moments: Vec<_> = days.chunks(each).filter_map(moment).collect();
    if days.len() <= 7 {
        for (moment, day) in moments.iter_mut().zip(days) {
            moment.on_narrow_axis = words.name_of_day(&day.day);
        }
    }
    moments
}

/// A domain with what was sent from it.
struct DomainRow {
    id: u64,
    name: String,
    state: String,
    recipients: String,
    rates: [String; 3],
}

fn domains(words: &Words, statistics: &StatisticsView) -> Vec<DomainRow> {
    let mut senders: Vec<_> = statistics.domains.iter().collect();
    senders.sort_by_key(|domain| (std::cmp::Reverse(domain.tally.recipients), &domain.name));
    let row = |domain: &&relay::service::view::DomainTallyView| {
        let state = domain.state.clone().filter(|state| MAY_SEND.contains(&state.as_str()))?;
        let tally = &domain.tally;
        let rates = [tally.delivery_rate, tally.soft_bounce_rate, tally.hard_bounce_rate];
        Some(DomainRow {
            id: domain.id,
            name: domain.name.clone()?,
            state,
            recipients: words.number(tally.recipients),
            rates: rates.map(|rate| words.percent(rate)),
        })
    };
    senders.iter().filter_map(row).take(DOMAINS_MAX).collect()
}

/// Domains on the dashboard; the page of domains has them all.
const DOMAINS_MAX: usize = 20;

/// What the page shows of Activity.
struct Sent {
    choice: &'static str,
    from: String,
    to: String,
    is_wrong: bool,
    is_cumulative: bool,
    /// What the links of the chart keep of the page's address.
    query: String,
    tiles: Vec<Tile>,
    moments: Vec<(String, [String; 4])>,
    plots: [Plot; 2],
    domains: Vec<DomainRow>,
    /// There is no domain at all.
    is_new: bool,
    last: Vec<Row>,
}

#[derive(Template)]
#[template(path = "dashboard.html")]
struct DashboardPage {
    page: Page,
    today: String,
    zone: String,
    days_max: String,
    /// None where the visitor may not see Activity.
    sent: Option<Sent>,
    used: String,
    quota: String,
    renews: String,
}

async fn sent(visit: &Visit) -> Result<Sent, Failure> {
    let query = visit.here.split_once('?').map_or("", |(_, query)| query);
    let asked: Asked = serde_html_form::from_str(query).unwrap_or_default();
    let Choice { word, period, is_wrong } = choice(&asked, visit.words().today_counted());
    let (since, until) = (Some(period.since), Some(period.until));
    let operation = Operation::Statistics { account: None, domain: None, user: None, since, until };
    let statistics: StatisticsView = visit.ask(operation).await?;
    let filter = ActivityFilter { limit: LAST, ..ActivityFilter::default() };
    let last: Vec<ActivityView> = visit.ask(Operation::Activity { filter }).await?;
    let words = visit.words();
    let is_cumulative = asked.chart == "cumulative";
    let moments = moments(words, &statistics.days);
    let moments = if is_cumulative { chart::cumulative(moments) } else { moments };
    let label = words.with(if is_cumulative { "chart-cumulative" } else { "chart-new" }, "period", span(words, period));
    let (from, to) = (period.since.to_string(), period.until.to_string());
    let pairs = [("period", word), ("from", from.as_str()), ("to", to.as_str())];
    let kept = if word == "custom" { &pairs[..] } else { &pairs[..1] };
    Ok(Sent {
        choice: word,
        query: serde_html_form::to_string(kept).unwrap_or_default(),
        is_wrong,
        is_cumulative,
        tiles: tiles(words, &statistics.total, &statistics.before, period),
        plots: chart::plots(words, &moments, &label),
        moments: moments
            .into_iter()
            .map(|moment| (moment.name, moment.values.map(|value| words.number(value))))
            .collect(),
        domains: domains(words, &statistics),
        is_new: !statistics.domains.iter().any(|domain| domain.state.is_some()),
        last: last.iter().map(|row| Row::new(words, row)).collect(),
        from,
        to,
    })
}

pub(super) async fn page(visit: Visit) -> Result<Response, Failure> {
    if visit.visitor.identity.scope == Scope::Operator {
        return Ok(on_to("/operator"));
    }
    let words = visit.words();
    let sent = if visit.may(Need::Power(Power::Activity)) { Some(sent(&visit).await?) } else { None };
    let account = visit.account.as_ref();
    Ok(shown(&DashboardPage {
        page: visit.page(),
        today: words.weekday(&words.today().to_string()),
        zone: words.zone().to_owned(),
        days_max: words.number(DAYS_MAX),
        sent,
        used: account.map_or_else(String::new, |account| words.number(account.used)),
        quota: account.and_then(|account| account.quota).map_or_else(String::new, |quota| words.number(quota)),
        renews: account.map_or_else(String::new, |account| words.day(&account.renews_at)),
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use relay::language::Language;

    fn asked(period: &str, from: &str, to: &str) -> Asked {
        Asked { period: period.into(), from: from.into(), to: to.into(), chart: String::new() }
    }

    #[test]
    fn periods_are_those_of_the_product() {
        let today = day_of("2026-11-29").unwrap();
        let of = |asked| {
            let choice = choice(&asked, today);
            (choice.word, choice.period.since.to_string(), choice.period.until.to_string(), choice.is_wrong)
        };
        let told = |word, since: &str, until: &str, wrong| (word, since.to_owned(), until.to_owned(), wrong);
        assert_eq!(of(asked("", "", "")), told("7", "2026-11-23", "2026-11-29", false));
        assert_eq!(of(asked("today", "", "")), told("today", "2026-11-29", "2026-11-29", false));
        assert_eq!(of(asked("yesterday", "", "")), told("yesterday", "2026-11-28", "2026-11-28", false));
        assert_eq!(of(asked("30", "", "")), told("30", "2026-10-31", "2026-11-29", false));
        let custom = asked("custom", "2026-01-01", "2026-12-31");
        assert_eq!(of(custom), told("custom", "2026-01-01", "2026-11-29", false));
        for (from, to) in
            [("2026-11-02", "2026-11-01"), ("", ""), ("yesterday", "2026-11-01"), ("1990-01-01", "2026-01-01")]
        {
            assert_eq!(of(asked("custom", from, to)), told("custom", "2026-11-23", "2026-11-29", true), "{from} {to}");
        }
    }

    #[test]
    fn changes_say_whether_they_are_good() {
        let words = Words::new(Language::English);
        let comparison = Comparison { words: &words, before: "before".into() };
        let more = comparison.recipients(110, 100);
        assert_eq!((more.change.as_str(), more.class, more.arrow), ("+10.0\u{202f}%", "", Some("up")));
        assert_eq!(comparison.recipients(110, 0).change, "–");
        let tile = comparison.rate("chart-delivered", Some(0.98), Some(0.99), Better::Higher);
        assert_eq!((tile.change.contains("\u{2212}1.0"), tile.class, tile.arrow), (true, "worse", Some("down")));
        let tile = comparison.rate("chart-hard-bounces", Some(0.01), Some(0.02), Better::Lower);
        assert_eq!((tile.class, tile.arrow), ("good", Some("down")));
        let tile = comparison.rate("chart-hard-bounces", Some(0.01), None, Better::Lower);
        assert_eq!((tile.change.as_str(), tile.class), ("–", ""));
        let tile = comparison.rate("chart-hard-bounces", Some(0.01), Some(0.01), Better::Lower);
        assert_eq!((tile.class, tile.arrow), ("", None));
    }

    #[test]
    fn long_periods_have_several_days_in_a_point() {
        let words = Words::new(Language::French);
        let tally = TallyView {
            recipients: 1,
            delivered: 1,
            soft_bounces: 0,
            complaints: 0,
            hard_bounces: 0,
            pending: 0,
            delivery_rate: None,
            soft_bounce_rate: None,
            hard_bounce_rate: None,
        };
        let day = |day: u64| DayTallyView { day: Day(20_000 + day).to_string(), tally: tally.clone() };
        for count in [1, 7, 30, 31, 32, 365, DAYS_MAX] {
            let days: Vec<_> = (0..count).map(day).collect();
            let moments = moments(&words, &days);
            assert!(moments.len() <= MOMENTS_MAX);
            assert_eq!(moments.iter().map(|moment| moment.values[0]).sum::<u64>(), count);
        }
    }
}
