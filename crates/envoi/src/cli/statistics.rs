//! `envoi statistics`: what is typed, the operation that it asks for, and what it shows.

use clap::Args;
use relay::clock::{Day, Timestamp};
use relay::service::Fault;
use relay::service::operation::Operation;
use relay::service::view::{StatisticsView, TallyView};

use super::table::table;
use crate::moment;

/// What was sent in a period.
#[derive(Debug, Args)]
pub struct StatisticsArgs {
    /// Of this account alone
    #[arg(long)]
    account: Option<u64>,
    /// Of this sending domain alone, by name or id
    #[arg(long)]
    domain: Option<String>,
    /// Of this SMTP user alone, by username or id
    #[arg(long, value_name = "USER")]
    smtp_user: Option<String>,
    /// The first day, in the account's time zone: 2026-11-24, or how long ago (`30d`, from today in UTC) [default: six days before the last]
    #[arg(long, value_name = "DAY")]
    since: Option<String>,
    /// The last day [default: today]
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
}

/// The operation of the command.
pub(super) fn operation(given: &StatisticsArgs, now: Timestamp) -> Result<Operation, Fault> {
    let day = |text: &String| -> Result<Day, Fault> {
        let at = moment::parse(text, now).map_err(|what| Fault::invalid(format!("{what}."), "Name a day."))?;
        Ok(at.day())
    };
    Ok(Operation::Statistics {
        account: given.account,
        domain: given.domain.clone(),
        user: given.smtp_user.clone(),
        since: given.since.as_ref().map(day).transpose()?,
        until: given.until.as_ref().map(day).transpose()?,
    })
}

/// A table of days, then the two periods in all, then the domains.
pub(super) fn text(shown: &StatisticsView) -> String {
    let head =
        ["", "recipients", "delivered", "soft", "hard", "complaints", "under way", "delivered %", "soft %", "hard %"];
    let mut rows: Vec<_> = shown.days.iter().map(|day| row(&day.day, &day.tally)).collect();
    rows.push(row("in all", &shown.total));
    rows.push(row("the period before", &shown.before));
    let name = |name: &Option<String>, id| name.clone().unwrap_or_else(|| format!("domain {id}, gone"));
    rows.extend(shown.domains.iter().map(|domain| row(&name(&domain.name, domain.id), &domain.tally)));
    table(&head, rows, "")
}

fn row(what: &str, tally: &TallyView) -> Vec<String> {
    let percent = |rate: Option<f64>| rate.map_or_else(|| "–".to_owned(), |rate| format!("{:.1}", rate * 100.0));
    let numbers =
        [tally.recipients, tally.delivered, tally.soft_bounces, tally.hard_bounces, tally.complaints, tally.pending];
    let rates = [tally.delivery_rate, tally.soft_bounce_rate, tally.hard_bounce_rate];
    let cells = numbers.iter().map(u64::to_string).chain(rates.into_iter().map(percent));
    std::iter::once(what.to_owned()).chain(cells).collect()
}
