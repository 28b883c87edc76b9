//! A list as a file: every row that is searched for, sent page by page, so that no length of it is held at once.

use std::future::Future;

use axum::http::StatusCode;
use axum::response::Response;
use relay::service::Fault;
use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::page::Failure;
use super::parts::{Parts, file};
use super::visit::Visit;
use super::words::Words;
use crate::background;

/// Rows that are read and held at a time.
pub(super) const ROWS: u32 = 500;

/// Exports that run at once, whoever asked: each reads through all that an account has of it.
const RUNNING_MAX: usize = 4;

static RUNNING: Semaphore = Semaphore::const_new(RUNNING_MAX);

/// Where the rows of an export come from, page by page, and what is written of each.
pub(super) trait Source: Send + 'static {
    /// A row, as the API has it.
    type Row: Serialize + Send + Sync + 'static;
    /// The columns of a CSV file: the names are those of the API.
    const COLUMNS: &'static [&'static str];
    /// What browsers save the files as: CSV, JSON.
    const FILES: [&'static str; 2];

    /// The cells of a row, in the order of the columns.
    fn cells(words: &Words, row: &Self::Row) -> Vec<String>;

    /// The next rows, in their order, and whether those are the last.
    ///
    /// # Errors
    /// The relay's.
    fn next(&mut self, visit: &Visit) -> impl Future<Output = Result<(Vec<Self::Row>, bool), Fault>> + Send;
}

/// How rows are written.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
}

impl Form {
    fn kind(self) -> &'static str {
        match self {
            Form::Csv => "text/csv; charset=utf-8; header=present",
            Form::Json => "application/json",
        }
    }

    fn head(self, columns: &[&str]) -> String {
        match self {
            // the mark of order makes spreadsheets read UTF-8
            Form::Csv => format!("\u{feff}{}\r\n", columns.join(",")),
            Form::Json => "[".to_owned(),
        }
    }

    fn rows<S: Source>(self, words: &Words, rows: &[S::Row], is_first: bool) -> String {
        match self {
            Form::Csv => rows.iter().map(|row| line(&S::cells(words, row))).collect(),
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

/// Whether a letter takes no place: spreadsheets drop such letters before they look for a formula.
fn is_unseen(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        )
}

/// A cell that a spreadsheet takes for text, whatever a stranger wrote into it.
pub(super) fn cell(text: &str) -> String {
    let seen = text.trim_start_matches(is_unseen);
    let is_formula = text.starts_with(['\t', '\r', '\n'])
        || seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%']);
    format!("\"{}{}\"", if is_formula { "'" } else { "" }, text.replace('"', "\"\""))
}

fn line(cells: &[String]) -> String {
    cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",") + "\r\n"
}

/// An export on its way: what was found last, and how to go on.
struct Export<S: Source> {
    visit: Visit,
    form: Form,
    source: S,
    found: (Vec<S::Row>, bool),
    /// Its place among those that run; given back when it ends.
    _place: SemaphorePermit<'static>,
}

impl<S: Source> Export<S> {
    /// Sends everything that is found, until it ends or nobody takes it any more.
    async fn send(mut self, to: Parts) {
        let mut text = self.form.head(S::COLUMNS);
        let mut is_first = true;
        loop {
            let (found, is_last) = std::mem::take(&mut self.found);
            text.push_str(&self.form.rows::<S>(self.visit.words(), &found, is_first));
            is_first &= found.is_empty();
            if is_last {
                text.push_str(self.form.foot());
            }
            if !to.send(std::mem::take(&mut text), is_last).await || is_last {
                return;
            }
            match self.source.next(&self.visit).await {
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

/// Sends a list as a file.
pub(super) async fn export<S: Source>(visit: Visit, mut source: S, form: Form) -> Result<Response, Failure> {
    let Some(place) = place() else {
        let page = visit.page();
        let why = page.t("activity-export-busy");
        return Err(page.failure_because(StatusCode::SERVICE_UNAVAILABLE, "failure-unavailable", why));
    };
    // what is refused, is refused before anything is sent
    let found = source.next(&visit).await.map_err(|fault| visit.page().failure(fault))?;
    let [csv, json] = S::FILES;
    let (to, answer) = file(form.kind(), if matches!(form, Form::Csv) { csv } else { json });
    background::spawn(Export { visit, form, source, found, _place: place }.send(to));
    Ok(answer)
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
