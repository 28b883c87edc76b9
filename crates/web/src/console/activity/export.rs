//! Activity as a file.

use axum::http::StatusCode;
use axum::response::Response;
use relay::activity::ActivityFilter;
use relay::id::Id;
use relay::service::Fault;
use relay::service::operation::Operation;
use relay::service::view::ActivityView;

use super::search::Search;
use super::told;
use crate::console::export::{Form, ROWS, Source, export};
use crate::console::page::Failure;
use crate::console::reasons;
use crate::console::visit::Visit;
use crate::console::words::Words;

/// Rows of Activity that a filter names, newest first.
struct Rows(ActivityFilter);

impl Source for Rows {
    type Row = ActivityView;
    const COLUMNS: &'static [&'static str] = &[
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
    ];
    const FILES: [&'static str; 2] =
        ["attachment; filename=\"activity.csv\"", "attachment; filename=\"activity.json\""];

    fn cells(words: &Words, row: &ActivityView) -> Vec<String> {
        vec![
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
        ]
    }

    async fn next(&mut self, visit: &Visit) -> Result<(Vec<ActivityView>, bool), Fault> {
        let operation = Operation::Activity { filter: self.0.clone() };
        let answer = visit.console.door.ask(operation, visit.visitor.identity.clone()).await?;
        let found: Vec<ActivityView> = answer.try_into()?;
        self.0.before_row = found.last().map(|row| row.row);
        let is_last = found.len() < ROWS as usize;
        Ok((found, is_last))
    }
}

async fn exported(visit: Visit, form: Form) -> Result<Response, Failure> {
    let account = Some(Id::new(visit.account_number()?));
    let search = Search { before: String::new(), ..Search::of(&visit.here) };
    let filter = search.filter(visit.words()).map_err(|unclear| {
        let page = visit.page();
        let what = told(&page, unclear);
        page.failure_because(StatusCode::UNPROCESSABLE_ENTITY, "failure-invalid", what)
    })?;
    export(visit, Rows(ActivityFilter { account, limit: ROWS, ..filter }), form).await
}

pub(super) async fn csv(visit: Visit) -> Result<Response, Failure> {
    exported(visit, Form::Csv).await
}

pub(super) async fn json(visit: Visit) -> Result<Response, Failure> {
    exported(visit, Form::Json).await
}
