//! Activity as a file: every row that is searched for, sent page by page, so that no length of it is held at once.

use axum::http::StatusCode;
use axum::response::Response;
use relay::activity::ActivityFilter;
use relay::id::Id;
use relay::service::operation::Operation;
use relay::service::view::ActivityView;
use relay::service::{Fault, takes_no_place};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::search::Search;
use super::told;
use crate::background;
use crate::console::page::Failure;
use crate::console::parts::{Parts, file};
use crate::console::reasons;
use crate::console::visit::Visit;
use crate::console::words::Words;

/// Rows that are read and held at a time.
const ROWS: u32 = 500;

/// Exports that run at once, whoever asked: each reads through an account's whole activity.
const RUNNING_MAX: usize = 4;

static RUNNING: Semaphore = Semaphore::const_new(RUNNING_MAX);

/// The columns of a CSV file: the names are those of the API.
const COLUMNS: [&str; 18] = [
    "at",
    "updated_at",
    "status",
    "recipient",
    "sender",
    "subject",
    "reason",
    "reply",
    "reference",
    "attempts",
    "count",
    "message",
    "session",
    "class",
    "sandbox",
    "held",
    "user",
    "domain",
];

/// How rows are written.
#[derive(Clone, Copy)]
enum Form {
    Csv,
    Json,
}

impl Form {
    fn kind(self) -> &'static str {
        match self {
            Form::Csv => "text/csv; charset=utf-8; header=present",
            Form::Json => "application/json",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Form::Csv => "attachment; filename=\"activity.csv\"",
            Form::Json => "attachment; filename=\"activity.json\"",
        }
    }

    fn head(self) -> String {
        match self {
            // the mark of order makes spreadsheets read UTF-8
            Form::Csv => format!("\u{feff}{}\r\n", COLUMNS.join(",")),
            Form::Json => "[".to_owned(),
        }
    }

    fn rows(self, words: &Words, rows: &[ActivityView], is_first: bool) -> String {
        match self {
            Form::Csv => rows.iter().map(|row| line(words, row)).collect(),
            Form::Json => {
                let texts = rows.iter().map(|row| serde_json::to_string(row).unwrap_or_default());
                let lead = |(place, text)| format!("{}\n{text}", if is_first && place == 0 { "" } else { "," });
                texts.enumerate().map(lead).collect()
            }
        }
    }

    fn foot(self) -> &'static str {
        match self {
            Form::Csv => "",
            Form::Json => "\n]\n",
        }
    }
}

/// A cell that a spreadsheet takes for text, whatever a stranger wrote into it.
pub(in crate::console) fn cell(text: &str) -> String {
    let seen =
        text.trim_start_matches(|letter: char| letter.is_whitespace() || letter.is_control() || takes_no_place(letter));
    let is_formula = text.starts_with(['\t', '\r', '\n'])
        || seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%']);
    format!("\"{}{}\"", if is_formula { "'" } else { "" }, text.replace('"', "\"\""))
}

fn line(words: &Words, row: &ActivityView) -> String {
    let texts = [
        words.stamp(&row.at),
        words.stamp(&row.updated_at),
        row.status.clone(),
        row.recipient.clone(),
        row.sender.clone(),
        row.subject.clone(),
        reasons::of_row(words, row).cause,
        row.reply.clone(),
        row.reference.clone(),
        row.attempts.to_string(),
        row.count.to_string(),
        row.message.clone().unwrap_or_default(),
        row.session.clone().unwrap_or_default(),
        row.class.clone().unwrap_or_default(),
        row.sandbox.to_string(),
        row.held.clone().unwrap_or_default(),
        row.user.map(|user| user.to_string()).unwrap_or_default(),
        row.domain.map(|domain| domain.to_string()).unwrap_or_default(),
    ];
    texts.map(|text| cell(&text)).join(",") + "\r\n"
}

async fn rows(visit: &Visit, filter: ActivityFilter) -> Result<Vec<ActivityView>, Fault> {
    let answer = visit.console.door.ask(Operation::Activity { filter }, visit.visitor.identity.clone()).await?;
    answer.try_into()
}

/// An export on its way: what was found last, and how to go on.
struct Export {
    visit: Visit,
    form: Form,
    filter: ActivityFilter,
    found: Vec<ActivityView>,
    /// Its place among those that run; given back when it ends.
    _place: SemaphorePermit<'static>,
}

impl Export {
    /// Sends everything that is found, until it ends or nobody takes it any more.
    async fn send(mut self, to: Parts) {
        let mut text = self.form.head();
        let mut is_first = true;
        loop {
            text.push_str(&self.form.rows(self.visit.words(), &self.found, is_first));
            is_first = false;
            let is_last = self.found.len() < ROWS as usize;
            if is_last {
                text.push_str(self.form.foot());
            }
            if !to.send(std::mem::take(&mut text), is_last).await || is_last {
                return;
            }
            self.filter.before_row = self.found.last().map(|row| row.row);
            match rows(&self.visit, self.filter.clone()).await {
                Ok(found) => self.found = found,
                Err(fault) => {
                    tracing::warn!(why = fault.what, "an export broke off");
                    return;
                }
            }
        }
    }
}

/// A place among the exports that run, where one is free.
fn place() -> Option<SemaphorePermit<'static>> {
    RUNNING.try_acquire().ok()
}

async fn export(visit: Visit, form: Form) -> Result<Response, Failure> {
    let account = Some(Id::new(visit.account_number()?));
    let search = Search { before: String::new(), ..Search::of(&visit.here) };
    let filter = search.filter(visit.words()).map_err(|unclear| {
        let page = visit.page();
        let what = told(&page, unclear);
        page.failure_because(StatusCode::UNPROCESSABLE_ENTITY, "failure-invalid", what)
    })?;
    let filter = ActivityFilter { account, limit: ROWS, ..filter };
    let Some(place) = place() else {
        let page = visit.page();
        let why = page.t("activity-export-busy");
        return Err(page.failure_because(StatusCode::SERVICE_UNAVAILABLE, "failure-unavailable", why));
    };
    // what is refused, is refused before anything is sent
    let found = visit.ask(Operation::Activity { filter: filter.clone() }).await?;
    let (to, answer) = file(form.kind(), form.name());
    background::spawn(Export { visit, form, filter, found, _place: place }.send(to));
    Ok(answer)
}

pub(super) async fn csv(visit: Visit) -> Result<Response, Failure> {
    export(visit, Form::Csv).await
}

pub(super) async fn json(visit: Visit) -> Result<Response, Failure> {
    export(visit, Form::Json).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(cell("=HYPERLINK(\"http://a.example\")"), "\"'=HYPERLINK(\"\"http://a.example\"\")\"");
        let unseen = ["\u{feff}=1", "\u{200b}\u{200d}+1", " @SUM(1)", "\u{2066}-1", "\u{ad}＝1", "\u{feff}\u{feff} =1"];
        for text in ["+1", "-1", "@SUM(1)", "\t=1", "\r=1", "＝1"].into_iter().chain(unseen) {
            assert!(cell(text).starts_with("\"'"), "{text:?}");
        }
        assert_eq!(cell("Facture 2026-1183, suite"), "\"Facture 2026-1183, suite\"");
        assert_eq!(cell("\u{feff}Facture"), "\"\u{feff}Facture\"");
        assert_eq!(cell(""), "\"\"");
    }

    #[test]
    fn only_so_many_run_at_once() {
        let mut all: Vec<_> = std::iter::from_fn(place).take(RUNNING_MAX + 1).collect();
        assert_eq!(all.len(), RUNNING_MAX);
        assert!(all.pop().is_some() && place().is_some(), "one that has ended makes room");
    }
}
