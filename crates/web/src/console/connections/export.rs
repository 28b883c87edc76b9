//! Connections as a file.

use axum::response::Response;
use relay::service::Fault;
use relay::service::view::ConnectionView;

use super::search::{Search, looked_at};
use crate::console::export::{Form, ROWS, Source, export};
use crate::console::page::Failure;
use crate::console::reasons;
use crate::console::visit::Visit;
use crate::console::words::Words;

/// Rows of Connections that are searched for, newest first.
struct Rows {
    account: Option<u64>,
    search: Search,
    before: Option<u64>,
}

impl Source for Rows {
    type Row = ConnectionView;
    const COLUMNS: &'static [&'static str] = &[
        "at",
        "updated_at",
        "cause",
        "reason",
        "username",
        "user",
        "remote",
        "tls",
        "reply",
        "reference",
        "count",
        "session",
        "account",
    ];
    const FILES: [&'static str; 2] =
        ["attachment; filename=\"connections.csv\"", "attachment; filename=\"connections.json\""];

    fn cells(words: &Words, row: &ConnectionView) -> Vec<String> {
        vec![
            words.stamp(&row.at),
            words.stamp(&row.updated_at),
            reasons::trouble_of(row).word.to_owned(),
            reasons::of_connection(words, row).cause,
            row.username.clone(),
            row.user.map(|user| user.to_string()).unwrap_or_default(),
            row.remote.clone(),
            row.tls.clone(),
            row.reply.clone(),
            row.reference.clone(),
            row.count.to_string(),
            row.session.clone(),
            row.account.map(|account| account.to_string()).unwrap_or_default(),
        ]
    }

    async fn next(&mut self, visit: &Visit) -> Result<(Vec<ConnectionView>, bool), Fault> {
        let (mut found, is_last) = looked_at(visit, self.account, self.before, ROWS).await?;
        self.before = found.last().map(|row| row.row).or(self.before);
        found.retain(|row| self.search.has(row));
        Ok((found, is_last))
    }
}

async fn exported(visit: Visit, form: Form) -> Result<Response, Failure> {
    let search = Search::of(&visit.here);
    let account = search.account(&visit)?;
    export(visit, Rows { account, search, before: None }, form).await
}

pub(super) async fn csv(visit: Visit) -> Result<Response, Failure> {
    exported(visit, Form::Csv).await
}

pub(super) async fn json(visit: Visit) -> Result<Response, Failure> {
    exported(visit, Form::Json).await
}
