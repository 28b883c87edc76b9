//! Pages that ask a second time, before what cannot be undone.

use askama::Template;
use axum::response::Response;
use serde::Deserialize;

use super::page::{Page, shown};

/// What such a page says.
pub(super) struct Question {
    /// What is about to happen, as a question.
    pub(super) title: String,
    /// What follows from it.
    pub(super) consequences: Vec<String>,
    /// What has to be ticked.
    pub(super) sure: String,
    /// Where the answer goes.
    pub(super) action: String,
    /// What the button says.
    pub(super) act: String,
    /// Where whoever thinks better of it goes.
    pub(super) back: String,
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage {
    page: Page,
    question: Question,
}

/// Asks.
pub(super) fn asked(page: Page, question: Question) -> Response {
    shown(&ConfirmPage { page, question })
}

/// The answer: a form without the tick is none.
#[derive(Deserialize)]
pub(super) struct Sure {
    #[serde(rename = "sure")]
    _sure: String,
}

/// A form that is nothing but a button.
#[derive(Deserialize)]
pub(super) struct Pressed {}
